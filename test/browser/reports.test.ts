import type { Browser, Page } from 'playwright-core';
import { violationsOf } from '../helpers/axe.ts';
import { complaintsOf, describeBrowser, launchBrowser, sayIfSkipped, visitor } from '../helpers/browser.ts';
import { fromOutbox, linkIn, publish } from '../helpers/outbox.ts';
import { type Service, startService } from '../helpers/start-service.ts';

sayIfSkipped();

describeBrowser('charts of the reports', () => {
  let service: Service;
  let browser: Browser;

  beforeAll(async () => {
    [service, browser] = await Promise.all([startService(), launchBrowser()]);
    const lines = Array.from({ length: 12 }, (_, n) => ({
      ...{ externalId: `c-${n}`, email: `c${n}@example.org`, verified: true, region: n % 2 ? '110000' : '310000' },
      follow: [{ topic: 'services' }],
    }));
    await service.api('POST', '/subscribers/import', lines.map((line) => JSON.stringify(line)).join('\n'));
    await publish(service, { title: 'Bus 12', summary: 'It is diverted.', topics: ['services'] });
    const total = async () =>
      (await service.api('GET', '/reports/funnel')).body as { total: { sent: number | null } } | null;
    for (let tries = 0; (await total())?.total.sent !== 12; tries += 1) {
      if (tries > 150) throw new Error('the push was not counted');
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    await service?.stop();
  });

  const analyst = async (locale: 'en' | 'zh-CN', javaScript = true): Promise<Page> => {
    const context = await visitor(browser, service, { locale, javaScript });
    const page = await context.newPage();
    const email = `ana-${locale}-${javaScript}@example.org`.toLowerCase();
    await service.api('POST', '/staff', { email, name: 'Ana', roles: ['analyst'], departments: [] });
    await page.goto(linkIn(await fromOutbox(service, ({ to }) => to === email), 'staff/set-up'));
    await page.locator('#password').fill('four words are enough');
    await page.locator('main form button[type=submit]').last().click();
    await page.waitForURL('**/staff/sign-in?done=set-up');
    await page.locator('#email').fill(email);
    await page.locator('#password').fill('four words are enough');
    await page.locator('main form button[type=submit]').last().click();
    await page.waitForURL('**/staff');
    return page;
  };

  it.each(['en', 'zh-CN'] as const)(
    'are drawn from their tables under the security policy (%s)',
    async (locale) => {
      const page = await analyst(locale);
      const complaints = complaintsOf(page);
      for (const name of ['', '/funnel', '/funnel?by=hour', '/coverage', '/rules', '/satisfaction', '/funnel?from=x']) {
        const path = `/staff/reports${name}`;
        await page.goto(path);
        for (const chart of await page.locator('[data-chart]').all()) {
          await expect(chart.getAttribute('role')).resolves.toBe('img');
          await expect(chart.locator('canvas').isVisible()).resolves.toBe(true);
        }
        expect(await violationsOf(page)).toEqual([]);
        const wider = await page.evaluate('document.documentElement.scrollWidth > innerWidth');
        expect([path, wider]).toEqual([path, false]);
      }
      expect(complaints).toEqual([]);
    },
    180_000,
  );

  it('need no script: the table says the same', async () => {
    const page = await analyst('en', false);
    await page.goto('/staff/reports/funnel?by=topic');
    await expect(page.locator('[data-chart]').first().isVisible()).resolves.toBe(false);
    await expect(page.locator('#table-by tbody tr').first().textContent()).resolves.toMatch(
      /Public services\s*12\s*12/,
    );
  }, 60_000);
});
