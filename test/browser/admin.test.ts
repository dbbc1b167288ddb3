import type { Browser } from 'playwright-core';
import { violationsOf } from '../helpers/axe.ts';
import { complaintsOf, describeBrowser, launchBrowser, sayIfSkipped } from '../helpers/browser.ts';
import { startWeb, type Web } from '../helpers/web.ts';

sayIfSkipped();

const password = 'four words are enough';

describeBrowser('the pages of administrators', () => {
  let web: Web;
  let browser: Browser;
  let paths: string[];
  let session: string;

  beforeAll(async () => {
    [web, browser] = await Promise.all([startWeb(), launchBrowser()]);
    const { town } = web;
    const boss = { email: 'boss@office.example', name: 'Boss', roles: ['admin' as const], departments: ['水务局'] };
    const { id } = await town.access.addStaff(boss);
    await town.staff.setUp((await town.staff.setUpLink(id)).split('/').at(-1) ?? '', password);
    session = (await town.staff.signIn(boss.email, password)) ?? '';
    await town.access.addKey({ staff: id, scopes: ['publish'], expiresAt: null });
    const { webhook } = await town.webhooks.add('https://other.example/hooks/of/a/very/long/name', ['push.done']);
    const call = { webhook: webhook.id, event: 'e', type: 'push.done' as const, body: '{}', attempts: 3 };
    const times = { at: town.now(), dueAt: town.now(), giveUpAt: town.now() };
    await town.stores.webhooks.enqueue([{ ...call, ...times, state: 'failed', response: '500 Server error' }]);
    await town.people([
      { externalId: 'li', email: 'li@home.example', verified: true, follow: [{ topic: 'services' }] },
    ]);
    const item = { title: 'Bus 12 is diverted', summary: 'x', language: 'en', topics: ['services'] };
    const made = (await web.api('POST', '/items', item)).body as { id: string };
    const { push } = (await web.api('POST', `/items/${made.id}/publish`)).body as { push: { id: string } };
    await town.drain();
    town.db.exec(`UPDATE deliveries SET state = 2, code = 'content-refused'`);
    await town.stores.pushes.soil(push.id);
    await town.drain();
    const below = ['', '/accounts', `/accounts/${id}`, '/keys', '/dead-letters', `/dead-letters/${push.id}`];
    paths = [...below, '/webhooks', `/webhooks/${webhook.id}`, '/audit'].map((path) => `/staff/admin${path}`);
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    await web?.close();
  });

  it.each(['en', 'zh-CN'] as const)(
    'are accessible and fit a phone, with and without faults (%s)',
    async (locale) => {
      const context = await browser.newContext({ baseURL: web.url, locale, viewport: { width: 360, height: 740 } });
      await context.addCookies([{ name: 'bellman-staff', value: session, url: web.url }]);
      const page = await context.newPage();
      const complaints = complaintsOf(page);
      const found: string[] = [];
      const look = async (path: string): Promise<void> => {
        // the words of a language change widths, not what a screen reader is told by the markup
        const violations = locale === 'en' ? await violationsOf(page) : [];
        found.push(...violations.map((one) => `${path}: ${one}`));
        const width = Number(await page.evaluate('document.documentElement.scrollWidth'));
        if (width > 360) found.push(`${path} is ${width} wide`);
      };
      for (const path of paths) {
        await page.goto(path);
        await look(path);
      }
      for (const path of ['/staff/admin/accounts', '/staff/admin/keys', '/staff/admin/webhooks']) {
        await page.goto(path);
        await page.locator('main form:not(:has(.bm-link-button)) .govuk-button').last().click();
        await page.waitForSelector('.govuk-error-summary, .govuk-notification-banner');
        await look(`${path} after sending`);
      }
      expect(found).toEqual([]);
      expect(complaints).toEqual([]);
      await context.close();
    },
    120_000,
  );
});
