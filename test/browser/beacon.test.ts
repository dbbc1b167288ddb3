import type { Browser, BrowserContext } from 'playwright-core';
import type { BrowsingEvent } from '../../src/browsing/browsing-event.ts';
import { signLink } from '../../src/signed-link.ts';
import { complaintsOf, describeBrowser, launchBrowser, sayIfSkipped } from '../helpers/browser.ts';
import { startWeb, type Web } from '../helpers/web.ts';

sayIfSkipped();

describeBrowser('the page beacon', () => {
  let browser: Browser;
  let web: Web;
  let context: BrowserContext;
  let item: string;
  let ordinal: number;

  const kept = async (least: number): Promise<BrowsingEvent[]> => {
    for (let tries = 0; tries < 200; tries += 1) {
      const events = await web.town.stores.profiles.eventsOf(ordinal, 10);
      if (events.length >= least) return events;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`there were never ${least} events`);
  };

  /** A page of the office's own site that says what it is about. */
  const officePage = async (head: string): Promise<void> => {
    const body = `<!doctype html><title>Office</title>${head}<script type="module" src="/beacon.js"></script>
      <a id="form" href="/form.pdf">Form</a><a id="other" href="#top">Other</a>`;
    await context.route('**/office.html', (route) => route.fulfill({ contentType: 'text/html', body }));
  };

  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());
  beforeEach(async () => {
    web = await startWeb();
    const consents = { personalisation: true };
    await web.town.people([{ externalId: 'ann', email: 'ann@example.org', verified: true, consents, follow: [] }]);
    const ann = await web.town.stores.subscriptions.subscriber({ externalId: 'ann' });
    ordinal = ann?.ordinal ?? 0;
    await web.town.browsing.tie('a-browser', ann?.id ?? '');
    const url = 'https://office.example/forms/rent.pdf';
    const draft = { title: 'Rent', summary: 'Rent', language: 'en', topics: ['services'], url };
    item = String((await web.api('POST', '/items', draft)).body.id);
    await web.api('POST', `/items/${item}/publish`);
    context = await browser.newContext({ baseURL: web.url });
    const value = signLink(web.town.keyring, 'visitor', 'a-browser', web.town.now() + 86_400_000);
    await context.addCookies([{ name: 'bellman-visitor', value, url: web.url }]);
    await context.route(/\.pdf$/, (route) => route.fulfill({ status: 204 }));
  });
  afterEach(async () => {
    await context.close();
    await web.close();
  });

  it('tells that a document of a notice was downloaded, and not once more that it was read', async () => {
    const page = await context.newPage();
    const complaints = complaintsOf(page);
    await page.goto(`/items/${item}`);
    await page.locator('article a[rel~="external"]').click();
    const events = await kept(2);
    expect(events.map(({ kind, item: seen }) => [kind, seen]).sort()).toEqual([
      ['download', item],
      ['view', item],
    ]);
    expect(complaints).toEqual([]);
  });

  it('tells what a page of the office is about, and what is downloaded there', async () => {
    await officePage('<meta name="bellman-topic" content="budgets">');
    const page = await context.newPage();
    await page.goto('/office.html');
    await kept(1);
    await page.locator('#other').click();
    await page.locator('#form').click();
    const events = await kept(2);
    expect(events.map(({ kind, topics }) => [kind, topics[0]])).toEqual([
      ['download', 'budgets'],
      ['view', 'budgets'],
    ]);
  });

  it('sends nothing where the browser asks for privacy', async () => {
    await officePage('<meta name="bellman-topic" content="budgets">');
    const sent: string[] = [];
    context.on('request', (request) => sent.push(new URL(request.url()).pathname));
    for (const wish of ['globalPrivacyControl', 'doNotTrack']) {
      const page = await context.newPage();
      const value = wish === 'doNotTrack' ? '1' : true;
      await page.addInitScript(
        ([name, said]) =>
          Object.defineProperty((globalThis as unknown as { navigator: object }).navigator, String(name), {
            value: said,
          }),
        [wish, value] as const,
      );
      await page.goto('/office.html');
      await page.locator('#form').click();
      await page.close();
    }
    expect(sent).toContain('/beacon.js');
    expect(sent).not.toContain('/api/v1/beacon');
  });
});
