import type { Browser, BrowserContext, Page } from 'playwright-core';
import { readOutbox } from '../../src/channels/outbox.ts';
import { describeBrowser, launchBrowser } from '../helpers/browser.ts';
import { letterTo } from '../helpers/signed-in.ts';
import { startWeb, type Web } from '../helpers/web.ts';

const password = 'four words are enough';
const item = {
  ...{ title: 'Bus 12', summary: 'x', language: 'en', topics: ['services'] },
  translations: { 'zh-CN': { title: '公交12路', summary: 'x' } },
};
const tables = [
  ...['subscribers', 'subscriptions', 'addresses', 'sign_ups', 'opinions', 'feedback'],
  ...['items', 'rules', 'pushes', 'push_orders', 'deliveries', 'applications', 'sources', 'webhooks', 'api_keys'],
];

/** The first link of a letter to a path of the site. */
const linkIn = (letter: string, path: string): string => new RegExp(`/${path}/[\\w.~-]+`).exec(letter)?.[0] ?? '';

type Way = {
  path: string;
  button: string;
  fill?: () => Promise<unknown>;
  /** Where sending leads, and what the page then says that somebody who went back has sent it again. */
  to: RegExp;
  says: RegExp;
  /** What is waited for before somebody goes back: a page that loads itself anew. */
  rests?: string;
};

describeBrowser('sent, back, and sent again', () => {
  let web: Web;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;

  beforeAll(async () => {
    [web, browser] = await Promise.all([startWeb({ rateLimits: { send: 10_000, guess: 10_000 } }), launchBrowser()]);
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await web?.close();
  });
  beforeEach(async () => {
    context = await browser.newContext({ baseURL: web.url, locale: 'en' });
    context.setDefaultTimeout(5_000);
    page = await context.newPage();
  });
  afterEach(() => context.close());

  /** What there is, by table, and how many letters went out. */
  const there = async (): Promise<Record<string, number>> => {
    await web.town.drain();
    const letters = (await readOutbox(web.town.dataDir, { limit: 1_000 })).length;
    const counts = tables.map((table) => [table, Number(web.rows(`SELECT count(*) AS n FROM ${table}`)[0]?.n)]);
    return { letters, ...Object.fromEntries(counts) };
  };

  /** Fills a form in and sends it; goes back, and sends what stands there then as the browser kept it. */
  const backAndAgain = async ({ path, button, fill, to, says, rests = 'main' }: Way): Promise<void> => {
    await page.goto(path);
    await fill?.();
    await page.locator(button).first().click();
    await page.waitForURL(to);
    const before = await there();
    await page.locator(rests).waitFor();
    await page.goBack();
    if (await page.locator(button).count()) {
      await page.locator(button).first().click();
      await page.waitForLoadState();
    }
    expect([path, await there()]).toEqual([path, before]);
    const words = (await page.locator('main').textContent())?.replace(/\s+/g, ' ');
    expect([path, words]).toEqual([path, expect.stringMatching(says)]);
  };

  it('what citizens send is done once, and the page says so', async () => {
    const follow = 'form[data-follow] button';
    await backAndAgain({
      ...{ path: '/follow?topic=services', button: follow, fill: () => page.locator('#email').fill('li@example.org') },
      ...{ to: /\/check$/, says: /Check your mail/ },
    });
    const confirm = linkIn(await letterTo(web, 'li@example.org'), 'confirm');
    const already = /You have already confirmed this/;
    await backAndAgain({ path: confirm, button: 'main form button', to: /\/confirmed$/, says: already });
    await backAndAgain({ path: '/follow?topic=budgets', button: follow, to: /done=followed/, says: /Budgets/ });
    await backAndAgain({
      ...{ path: '/my/settings', button: 'form[action="/my/addresses"] button' },
      fill: () => page.locator('#address').fill('139 1234 5678'),
      ...{ to: /\/my\/addresses\/code$/, says: /Enter the code|There is a problem/ },
    });
    const code = /\d{6}/.exec(await letterTo(web, '+8613912345678'))?.[0] ?? '';
    await backAndAgain({
      ...{ path: '/my/addresses/code', button: 'main form button', fill: () => page.locator('#code').fill(code) },
      ...{ to: /done=address-added/, says: /The address is added|There is a problem/ },
    });
    const { id } = (await web.api('POST', '/items', item)).body;
    await web.api('POST', `/items/${id}/publish`);
    await backAndAgain({
      ...{ path: `/items/${id}`, button: 'form[action$="/opinions"] button' },
      fill: () => page.locator('#text').fill('Since when?'),
      ...{ to: /done=opinion/, says: /The office has your message|There is a problem/ },
    });
    const told = await letterTo(web, 'li@example.org');
    await backAndAgain({
      ...{ path: `${linkIn(told, 'f')}/too-many`, button: 'main form button', to: /thanks$/, says: /Thank you/ },
      fill: () => page.locator('#comment').fill('Less, please'),
    });
    const gone = /You no longer follow this/;
    await backAndAgain({ path: '/my', button: 'button[formaction]', to: /done=stopped/, says: gone });
    const stop = linkIn(told, 'u');
    await backAndAgain({ path: stop, button: 'button[value=everything]', to: /stopped/, says: /Stopped/ });
    const erase = 'form[action="/my/erase"] button';
    await backAndAgain({ path: '/my/erase', button: erase, to: /goodbye$/, says: /Your data will be deleted/ });
  }, 60_000);

  it('what staff send is done once, and the way back leads to what was made', async () => {
    const { town } = web;
    const boss = { email: 'boss@office.example', name: 'B', roles: ['admin' as const, 'publisher' as const] };
    const { id } = await town.access.addStaff({ ...boss, departments: [] });
    await town.staff.setUp((await town.staff.setUpLink(id)).split('/').at(-1) ?? '', password);
    const session = (await town.staff.signIn(boss.email, password)) ?? '';
    await context.addCookies([{ name: 'bellman-staff', value: session, url: web.url }]);
    await town.people([{ externalId: 'p', email: 'p@example.org', verified: true, follow: [{ topic: 'services' }] }]);
    await town.audienceIndex.caughtUp();

    await backAndAgain({
      ...{ path: '/staff/items/new', button: 'form#save > .govuk-button-group button' },
      fill: async () => {
        for (const field of ['title-zh-CN', 'summary-zh-CN', 'title-en', 'summary-en'])
          await page.locator(`#${field}`).fill(`Words of ${field}`);
        await page.locator('input[name=topics]').first().check();
      },
      ...{ to: /done=saved/, says: /Words of title-en/ },
    });
    const made = (await web.api('POST', '/items', item)).body.id;
    const publish = 'form[action$="/publish"] button';
    await backAndAgain({ path: `/staff/items/${made}`, button: publish, to: /done=published/, says: /Published/ });
    const person = (await web.api('GET', '/subscribers?externalId=p')).body.id;
    await backAndAgain({
      ...{ path: `/staff/pushes/new?item=${made}`, button: 'button[value=send]' },
      fill: async () => {
        await page.locator('input[value=people]').check();
        await page.locator('#people').fill(String(person));
        await page.locator('#confirm').fill('1');
        await page.locator('#note').fill('To one');
      },
      ...{ to: /done=push-started/, says: /Bus 12/, rests: '#progress:not([data-events])' },
    });
    await backAndAgain({
      ...{ path: '/staff/rules/new', button: 'button[value=save]' },
      fill: async () => {
        await page.locator('[id="who.add"]').click();
        await page.locator('[id="who.0.about"]').selectOption('person.region');
        await page.locator('[id="who.0.text"]').fill('110000');
        await page.locator('#name').fill('Beijing');
        await page.locator('#explanation-en').fill('You live in Beijing.');
        await page.locator('#explanation-zh-CN').fill('您住在北京。');
      },
      ...{ to: /done=rule-saved/, says: /Beijing/ },
    });
    await backAndAgain({
      ...{ path: '/staff/applications/new', button: 'form[action="/staff/applications/new"] button' },
      fill: async () => {
        await page.locator('#who').fill('wang@example.org');
        await page.locator('#text').fill('The budget of the bridge');
        await page.locator('#receivedOn').fill('2026-06-01');
      },
      ...{ to: /done=registered/, says: /The budget of the bridge/ },
    });
    await backAndAgain({
      ...{ path: '/staff/sources/new', button: 'form[action="/staff/sources/new"] button' },
      fill: async () => {
        await page.locator('#url').fill('https://office.example.org/atom.xml');
        await page.locator('input[name=topics]').first().check();
      },
      ...{ to: /done=added/, says: /is polled already/ },
    });
    for (const [path, field, box] of [
      ['/staff/admin/webhooks', '#url', 'events'],
      ['/staff/admin/keys', '', 'scopes'],
    ] as const)
      await backAndAgain({
        ...{ path, button: `form[action="${path}"] button` },
        fill: async () => {
          if (field !== '') await page.locator(field).fill('https://desk.example.org/x');
          await page.locator(`input[name=${box}]`).first().check();
        },
        ...{ to: new RegExp(`${path}$`), says: /There is a problem/ },
      });
  }, 60_000);
});
