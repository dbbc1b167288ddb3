import type { Browser, Page } from 'playwright-core';
import { violationsOf } from '../helpers/axe.ts';
import { complaintsOf, describeBrowser, launchBrowser, staffPage } from '../helpers/browser.ts';
import { fromOutbox } from '../helpers/outbox.ts';
import { type Service, startService } from '../helpers/start-service.ts';

describeBrowser('a notice from its first word to the people', () => {
  let service: Service;
  let browser: Browser;

  beforeAll(async () => {
    [service, browser] = await Promise.all([startService({ env: { REVIEW: 'on' } }), launchBrowser()]);
    const lines = Array.from({ length: 24 }, (_, n) => ({
      ...{ externalId: `c-${n}`, email: `c${n}@example.org`, verified: true, region: n % 2 ? '110000' : '310000' },
      ...{ consents: { personalisation: true }, follow: n < 12 ? [{ topic: 'services' }] : [] },
    }));
    await service.api('POST', '/subscribers/import', lines.map((line) => JSON.stringify(line)).join('\n'));
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    await service?.stop();
  });

  const signedIn = (name: string, roles: string[], locale: 'en' | 'zh-CN'): Promise<Page> =>
    staffPage(browser, service, { name, roles, locale });

  /** What is wrong with the page on a phone and on a desk; said at the end of the way, for all its pages at once. */
  const faultsOf = async (page: Page): Promise<string[]> => {
    const faults: string[] = [];
    for (const width of [1280, 360]) {
      await page.setViewportSize({ width, height: 740 });
      // colours do not change with the width, and are what takes longest to look at
      const found = await violationsOf(page, width === 360 ? ['color-contrast'] : []);
      const here = `${page.url()} ${width}`;
      faults.push(...found.map((one) => `${width} ${one}`));
      if (await page.evaluate('document.documentElement.scrollWidth > innerWidth')) faults.push(`${here} is too wide`);
    }
    return faults;
  };

  it.each(['en', 'zh-CN'] as const)(
    'is written, approved, found people for by a rule, published and watched (%s)',
    async (locale) => {
      const faults: string[] = [];
      const check = async (page: Page) => void faults.push(...(await faultsOf(page)));
      const li = await signedIn(`li-${locale}`, ['publisher'], locale);
      const complaints = complaintsOf(li);
      await li.goto('/staff/items/new?template=service');
      await li.locator('#title-zh-CN').fill('公交12路改道');
      await li.locator('#summary-zh-CN').fill('自周一起改道。');
      await li.locator('#title-en').fill('Bus 12 is diverted');
      await li.locator('#summary-en').fill('From Monday, utilise line 7.');
      await li.locator('#preview', { hasText: locale === 'en' ? 'rather “use”' : '不如写成' }).waitFor();
      await li.frameLocator('iframe[data-mail=en]').getByText('From Monday, utilise line 7.').last().waitFor();
      await check(li);
      await li.locator('form#save > .govuk-button-group button').click();
      await li.waitForURL('**done=saved');
      const item = new URL(li.url()).pathname;
      await check(li);
      await li.locator('form[action$="/submit"] button').click();
      await li.waitForURL('**done=submitted');

      const wang = await signedIn(`wang-${locale}`, ['reviewer'], locale);
      await wang.goto(item);
      await wang.locator('form[action$="/approve"] button').click();
      await wang.locator('.govuk-error-summary').waitFor();
      await check(wang);
      for (const secret of ['state', 'commercial', 'privacy']) await wang.locator(`input[value=${secret}]`).check();
      await wang.locator('form[action$="/approve"] button').click();
      await wang.waitForURL('**done=approved');

      await li.goto('/staff/rules/new');
      const add = async (group: string, about: string) => {
        await li.locator(`[id="${group}.add"]`).click();
        const field = li.locator(`[id="${group}.0.about"]`);
        await field.selectOption(about);
        await li.locator(`[id="${group}.0.not"]`).waitFor();
      };
      await add('when', 'item.topics');
      await li.locator('[id="when.0.text"]').fill(locale === 'en' ? 'Public services' : '公共服务');
      await add('who', 'person.region');
      await expect(li.locator('[id="when.0.text"]').inputValue()).resolves.not.toBe('');
      await li.locator('[id="who.0.text"]').fill('110000');
      await li.locator('#live strong', { hasText: /^12$/ }).waitFor();
      await li.locator('button[value=save]').click();
      await li.locator('.govuk-error-summary').waitFor();
      await check(li);
      await li.locator('#name').fill('Beijing');
      await li.locator('#explanation-en').fill('You live in Beijing.');
      await li.locator('#explanation-zh-CN').fill('您住在北京。');
      await li.locator('button[value=save]').click();
      await li.waitForURL('**done=rule-saved');
      const rule = new URL(li.url()).pathname;
      await li.locator('form[action$="/activate"] button').click();
      await li.waitForURL('**done=rule-waits');
      await wang.goto(rule);
      await check(wang);
      await wang.locator('form[action$="/approve"] button').click();
      await wang.waitForURL('**done=rule-approved');

      await li.goto(item);
      await li.locator('form[action$="/publish"] button').first().click();
      await li.waitForURL('**done=published');
      await li.locator('a[href^="/staff/pushes/"]').first().click();
      // 12 who follow the topic, and those of the 12 others who live in Beijing
      await li.locator('#progress strong', { hasText: /^18$/ }).waitFor();
      // once all are told the page is loaded anew, without the buttons that have become pointless
      await li.locator('#progress:not([data-events])').waitFor();
      await check(li);
      const message = await fromOutbox(service, ({ to, text }) => to === 'c13@example.org' && text.includes('12'));
      expect(message.title).toBe('公交12路改道');

      await li.goto(`/staff/pushes/new?item=${item.split('/').at(-1)}`);
      await li.locator('button[value=send]').click();
      await li.locator('.govuk-error-summary').waitFor();
      await check(li);
      for (const path of ['/staff/items', '/staff/rules', '/staff/pushes', '/staff/feedback']) {
        await li.goto(path);
        await check(li);
      }
      // on a phone the head is the name and one line of links
      expect(await li.locator('.bm-header').evaluate((head) => head.clientHeight)).toBeLessThan(110);
      expect([...faults, ...complaints]).toEqual([]);
      await service.api('POST', `/rules/${rule.split('/').at(-1)}/pause`);
    },
    240_000,
  );

  it('loses no text when the session ends in the middle', async () => {
    const li = await signedIn('li-forgetful', ['publisher'], 'en');
    await li.goto('/staff/items/new');
    await li.locator('#title-en').fill('Typed for an hour');
    await li.locator('#body').fill('Line one.\nLine two.');
    const cookies = await li.context().cookies();
    await li.context().clearCookies({ name: 'bellman-staff' });
    await li.locator('form#save > .govuk-button-group button').click();
    await li.locator('form[action="/staff/items/new"]').waitFor();
    await expect(faultsOf(li)).resolves.toEqual([]);
    await li.context().addCookies(cookies);
    await li.locator('main form button').click();
    await li.locator('.govuk-error-summary').waitFor();
    await expect(li.locator('#title-en').inputValue()).resolves.toBe('Typed for an hour');
    await expect(li.locator('#body').inputValue()).resolves.toBe('Line one.\nLine two.');
  }, 60_000);
});
