import { createECDH, randomBytes } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { townItems, townPeople, townRegions, townTopics } from '../../scripts/sample-town.ts';
import { projectRoot } from '../../src/project-root.ts';
import { launchBrowser, signIn, siteOf } from '../helpers/browser.ts';
import { type FeedServer, startFeedServer } from '../helpers/feed-server.ts';
import { fromOutbox, linkIn } from '../helpers/outbox.ts';
import { type Service, startService } from '../helpers/start-service.ts';

/**
 * Takes a picture of every page, in both languages and at the widths of a phone and a desk, into docs/screens: the sample town is
 * settled anew, somebody lives in it, and a member of staff signs in. `npm run screens -- my` takes those alone whose name holds "my".
 */
const locales = ['en', 'zh-CN'] as const;
type Locale = (typeof locales)[number];
const widths = [360, 1280];
/** Longer pages are cut: what is below looks like what is above. */
const heightMost = 2_200;
/** Fine enough to see everything; a picture that would be larger than this (bytes) is taken more coarsely. */
const qualities = [40, 25, 12];
const bytesMost = 60_000;
/** The outbox shows a hundred messages at a time. */
const peopleMost = 80;
const folder = join(projectRoot, 'docs', 'screens');
const wanted = process.argv[2] ?? '';

const rule = {
  name: 'Tenants of East Bank',
  explanation: {
    en: 'You live in East Bank, and notices on housing and water concern you.',
    'zh-CN': '您住在河东片区，住房和供水方面的通知与您有关。',
  },
  when: { item: 'topics', has: ['services'] },
  who: { all: [{ person: 'region', within: ['QS-EAST'] }] },
  deliver: { channels: ['email', 'webPush'], pace: 'immediate', priority: 5 },
  holdout: 0.05,
};

const must = async <T>(service: Service, method: string, path: string, body?: unknown): Promise<T> => {
  const answer = await service.api(method, path, body);
  if (answer.status >= 400) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body as T;
};

/** Topics, regions, people, a rule, and the town's notices, published in this order; answers the ids of the notices. */
const settle = async (service: Service): Promise<string[]> => {
  for (const topic of townTopics) await must(service, 'POST', '/topics', topic);
  for (const { parent, ...region } of townRegions)
    await must(service, 'POST', '/regions', { ...region, ...(parent ? { parent } : {}) });
  const browser = createECDH('prime256v1');
  const keys = { p256dh: browser.generateKeys('base64url'), auth: randomBytes(16).toString('base64url') };
  const people = townPeople(keys).split('\n').slice(0, peopleMost).join('\n');
  await must(service, 'POST', '/subscribers/import', people);
  const { id } = await must<{ id: string }>(service, 'POST', '/rules', rule);
  await must(service, 'POST', `/rules/${id}/activate`);
  const items: string[] = [];
  for (const item of townItems) items.push((await must<{ id: string }>(service, 'POST', '/items', item)).id);
  for (const item of items.slice(0, -1)) await must(service, 'POST', `/items/${item}/publish`);
  return items;
};

const feed = `<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en"><id>f</id><title>F</title>${[
  'Road works',
  'Night buses',
]
  .map((title, n) => `<entry><id>${n}</id><title>${title} in Qingshi</title><summary>From May.</summary></entry>`)
  .join('')}<entry><title>Without an id</title></entry></feed>`;

/** What staff find on their desk: a source that was polled, an application, a webhook. */
const fillDesk = async (service: Service, feeds: FeedServer): Promise<void> => {
  feeds.on('/traffic.xml', (response) => response.writeHead(200).end(feed));
  const source = { url: `${feeds.origin}/traffic.xml`, topics: ['services'], departments: ['交通'], publish: true };
  const { id } = await must<{ id: string }>(service, 'POST', '/sources', source);
  await must(service, 'POST', `/sources/${id}/poll`);
  const applicant = { email: 'zhao@qingshi.example' };
  const text = 'Please send me the budget of the bridge.';
  await must(service, 'POST', '/applications', { applicant, text, receivedAt: new Date().toISOString() });
  await must(service, 'POST', '/webhooks', { url: `${feeds.origin}/hook`, events: ['push.done'] });
};

/** Somebody who follows, allows, reads, and is told of the last notice. */
const live = async (service: Service, context: BrowserContext, items: string[]): Promise<Record<string, string>> => {
  const page = await context.newPage();
  const email = 'wang@qingshi.example';
  await signIn(service, page, { email, locale: 'en' });
  await page.goto('/my/about');
  await page.locator('#personalisation').check();
  await page.locator('#consent form button').click();
  for (const item of items.slice(-5, -1)) await page.goto(`/items/${item}`);
  const last = items.at(-1) ?? '';
  await must(service, 'POST', `/items/${last}/publish`);
  const told = await fromOutbox(service, (message) => message.to === email && /\/f\//.test(message.text));
  // after it was told: whenever the pictures are taken, it may be night there
  await page.goto('/my/settings');
  await page.locator('#region').selectOption('QS-EAST');
  await page.locator('#from').selectOption('23:00');
  await page.locator('#to').selectOption('07:00');
  await page.locator('form[action="/my/settings"] button').click();
  await service.api('POST', '/subscriptions', { email: 'new@qingshi.example', follow: [{ topic: 'water' }] });
  const waiting = await fromOutbox(service, ({ to }) => to === 'new@qingshi.example');
  await page.goto('/my/settings');
  const change = (await page.locator('a[href$="/change"]').first().getAttribute('href')) ?? '';
  await page.locator('#address').fill('other@qingshi.example');
  await page.locator('form[action="/my/addresses"] button').click();
  const another = await fromOutbox(service, ({ to }) => to === 'other@qingshi.example');
  await page.goto(`/items/${last}`);
  await page.locator('#text').fill('Since when is the notice in force?');
  await page.locator('form[action$="/opinions"] button').click();
  await page.waitForURL('**done=opinion');
  await page.close();
  return {
    item: `/items/${last}`,
    'follow-item': `/follow?item=${last}`,
    confirm: linkIn(waiting, 'confirm'),
    unsubscribe: linkIn(told, 'u'),
    feedback: `${linkIn(told, 'f')}/useful`,
    thanks: `${linkIn(told, 'f')}/too-many/thanks`,
    survey: `${linkIn(told, 'f')}/rating-4`,
    unsubscribed: `${linkIn(told, 'u')}/stopped`,
    'confirm-address': linkIn(another, 'confirm'),
    'my-address-change': change,
  };
};

const publicPages: Record<string, string> = {
  ...{ home: '/', topics: '/topics', topic: '/topics/services', search: '/search?q=water', about: '/about' },
  ...{ rules: '/rules', follow: '/follow?topic=water', check: '/check', code: '/code', manage: '/manage' },
  ...{ 'bad-link': '/confirm/nothing', missing: '/nothing', offline: '/offline', goodbye: '/goodbye' },
};
const ownPages: Record<string, string> = {
  ...{ my: '/my', 'my-messages': '/my/messages', 'my-about': '/my/about', 'my-facts': '/my/about/facts' },
  ...{ 'my-settings': '/my/settings', 'my-stop': '/my/stop', 'my-erase': '/my/erase', confirmed: '/confirmed' },
};

/** Signs a member of staff in who may do everything. */
const signInStaff = async (service: Service, context: BrowserContext): Promise<void> => {
  const page = await context.newPage();
  const email = 'li@qingshi.example';
  const roles = ['admin', 'analyst', 'publisher', 'reviewer'];
  await must(service, 'POST', '/staff', { email, name: 'Li Ming', roles, departments: ['水务'] });
  await page.goto(linkIn(await fromOutbox(service, ({ to }) => to === email), 'staff/set-up'));
  const send = () => page.locator('main form button[type=submit]').last().click();
  await page.locator('#password').fill('four words are enough');
  await send();
  await page.locator('#email').fill(email);
  await page.locator('#password').fill('four words are enough');
  await send();
  await page.waitForURL('**/staff');
  await page.close();
};

/** A page's name by its path; ids in it are not told apart. */
const nameOf = (path: string): string =>
  path
    .replace(/\?.*$/, '')
    .split('/')
    .filter(Boolean)
    .map((part) => (/^[\w-]{20,}$/.test(part) || /^\d+$/.test(part) ? 'one' : part))
    .join('-');

/** The pages of staff, found by their links: a new one needs no line here. */
const staffPages = async (context: BrowserContext): Promise<Record<string, string>> => {
  const page = await context.newPage();
  const found = new Map([['staff', '/staff']]);
  for (const path of found.values()) {
    await page.goto(path);
    const links = await page
      .locator('a[href^="/staff"]:not([download])')
      .evaluateAll((all) => all.map((link) => link.getAttribute('href') ?? ''));
    for (const link of links)
      if (!/format=csv|\.csv|sign-out/.test(link) && !found.has(nameOf(link))) found.set(nameOf(link), link);
  }
  await page.close();
  return Object.fromEntries(found);
};

/** What the browser itself encodes as WebP, which is half of what a PNG is. */
const shoot = async (page: Page, file: string, width: number): Promise<number> => {
  const session = await page.context().newCDPSession(page);
  const height = Math.min(heightMost, await page.evaluate('document.documentElement.scrollHeight'));
  const picture = {
    format: 'webp',
    captureBeyondViewport: true,
    clip: { x: 0, y: 0, width, height, scale: 1 },
  } as const;
  let bytes = Buffer.alloc(0);
  for (const quality of qualities)
    if (bytes.length === 0 || bytes.length > bytesMost)
      bytes = Buffer.from((await session.send('Page.captureScreenshot', { ...picture, quality })).data, 'base64');
  await session.detach();
  writeFileSync(file, bytes);
  return bytes.length;
};

const take = async (context: BrowserContext, service: Service, pages: Record<string, string>): Promise<number> => {
  let sum = 0;
  const page = await context.newPage();
  for (const [name, path] of Object.entries(pages).filter(([name]) => name.includes(wanted)))
    for (const locale of locales) {
      await context.addCookies([{ name: 'bellman-locale', value: locale, url: siteOf(service) }]);
      for (const width of widths) {
        await page.setViewportSize({ width, height: 740 });
        await page.goto(path);
        sum += await shoot(page, join(folder, `${name}.${locale}.${width}.webp`), width);
      }
    }
  await page.close();
  return sum;
};

const run = async (service: Service, browser: Browser, feeds: FeedServer): Promise<void> => {
  if (wanted === '') rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const visit = (locale: Locale = 'en') => browser.newContext({ baseURL: siteOf(service), locale });
  const [stranger, citizen, staff] = [await visit(), await visit(), await visit()];
  const { item = '', confirm = '', ...own } = await live(service, citizen, await settle(service));
  await fillDesk(service, feeds);
  await signInStaff(service, staff);
  let bytes = await take(stranger, service, { ...publicPages, item, confirm });
  bytes += await take(citizen, service, { ...ownPages, ...own });
  bytes += await take(stranger, service, { 'staff-sign-in': '/staff/sign-in' });
  bytes += await take(staff, service, await staffPages(staff));
  process.stdout.write(`docs/screens: ${Math.round(bytes / 1024)} KB\n`);
};

const [service, browser, feeds] = await Promise.all([
  startService({ env: { LOCALE: 'en', ALLOW_PRIVATE_ENDPOINTS: 'on' } }),
  launchBrowser(),
  startFeedServer(),
]);
try {
  await run(service, browser, feeds);
} finally {
  await browser.close();
  await service.stop();
  await feeds.close();
}
