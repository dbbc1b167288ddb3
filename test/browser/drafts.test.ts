import type { Browser, Page } from 'playwright-core';
import { describeBrowser, launchBrowser, staffPage, staffPassword } from '../helpers/browser.ts';
import { type Service, startService } from '../helpers/start-service.ts';

describeBrowser('what was typed and not sent', () => {
  let service: Service;
  let browser: Browser;
  beforeAll(async () => {
    [service, browser] = await Promise.all([startService({ env: { REVIEW: 'on' } }), launchBrowser()]);
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
  });

  const endSession = (page: Page) => page.context().clearCookies({ name: 'bellman-staff' });
  /** In another tab, as the page that hands the form back asks for. */
  const signInAgain = async (page: Page, email: string): Promise<void> => {
    const other = await page.context().newPage();
    await other.goto('/staff/sign-in');
    await other.locator('#email').fill(email);
    await other.locator('#password').fill(staffPassword);
    await other.locator('main form button[type=submit]').last().click();
    await other.waitForURL(/\/staff(\/second-step)?$/);
    await other.close();
  };

  describe.each([true, false])('JavaScript %s', (javaScript) => {
    const name = `drafts-${javaScript}`;
    let page: Page;
    beforeAll(async () => {
      page = await staffPage(browser, service, { name, roles: ['publisher'], locale: 'en', javaScript });
    }, 30_000);
    const forms: [string, string, string][] = [
      ['/staff/items/new', '#summary-en', 'form#save > .govuk-button-group button'],
      ['/staff/rules/new', '#name', 'button[value=save]'],
      ['/staff/pushes/new', '#note', 'button[value=send]'],
    ];

    it.each(forms)(
      '%s: is handed back when the session has ended, and stands there after signing in',
      async (...form) => {
        const [path, field, button] = form;
        await page.goto(path);
        await page.locator(field).fill(`Not to be lost ${path}`);
        await endSession(page);
        await page.locator(button).click();
        await page.locator('textarea[hidden]').first().waitFor({ state: 'attached' });
        await signInAgain(page, `${name}@example.org`);
        await page.locator('main form button[type=submit]').click();
        await page.locator(field).waitFor();
        await expect(page.locator(field).inputValue()).resolves.toBe(`Not to be lost ${path}`);
      },
      60_000,
    );

    if (!javaScript) return;
    it.each(forms)(
      '%s: is offered again after a reload',
      async (path, field) => {
        await page.goto(path);
        await expect(page.locator('[data-draft]').isVisible()).resolves.toBe(false);
        if (path !== '/staff/items/new') await page.locator('[id="who.add"]').click();
        const typed = `Typed before ${path}`;
        await page.locator(field).fill(typed);
        await page.goto('/staff');
        await page.goto(path);
        await page.locator('[data-bring]').click();
        for (let looks = 0; looks < 50 && (await page.locator(field).inputValue()) !== typed; looks += 1)
          await page.waitForTimeout(100);
        await expect(page.locator(field).inputValue()).resolves.toBe(typed);
        await page.goto(path);
        await page.locator('[data-drop]').click();
        await page.goto(path);
        await expect(page.locator('[data-draft]').isVisible()).resolves.toBe(false);
      },
      60_000,
    );

    it('is gone from the tab when somebody signs out', async () => {
      await page.goto('/staff/items/new');
      await page.locator('#summary-en').fill('Nobody else’s business');
      await page.goto('/staff');
      await page.locator('form[action="/staff/sign-out"] button').first().click();
      await page.waitForURL('**/staff/sign-in**');
      await expect(page.evaluate('sessionStorage.length')).resolves.toBe(0);
    }, 60_000);
  });
});
