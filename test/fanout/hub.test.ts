import type { FeedSource } from '../../src/feeds/feed-source.ts';
import type { HubState } from '../../src/feeds/feed-store.ts';
import { afterPings } from '../../src/feeds/hub.ts';
import { publishIn } from '../helpers/published.ts';
import { type PushSink, startPushSink } from '../helpers/push-sink.ts';
import { makeTown, publisher, type Town } from '../helpers/town.ts';

/** A hub on loopback: it keeps what it is told, and answers what the test says. */
describe('the WebSub hub', () => {
  let hub: PushSink;
  let town: Town;
  let status = 202;
  const signal = new AbortController().signal;

  beforeEach(async () => {
    status = 202;
    hub = await startPushSink({
      answer: () => ({ status, ...(status === 429 ? { headers: { 'retry-after': '600' } } : {}) }),
    });
    town = await makeTown({
      env: {
        WEBSUB_HUB: `${hub.origin}/hub`,
        ALLOW_PRIVATE_ENDPOINTS: 'on',
        PUBLIC_URL: 'https://notices.example.org',
        LOCALE: 'en',
      },
    });
    await publishIn(town, { title: 'There before' });
    await town.parts.pingHub(signal);
  });
  afterEach(async () => {
    await town.close();
    await hub.close();
  });

  const told = (): string[] => {
    const bodies = hub.pushes.splice(0).map(({ body }) => new URLSearchParams(body.toString()));
    expect(bodies.every((one) => one.get('hub.mode') === 'publish')).toBe(true);
    return bodies.map((one) => String(one.get('hub.url'))).sort();
  };

  it('hears of each feed that changed, by the address under which the feed names itself', async () => {
    expect(told()).toEqual([]);
    await publishIn(town, { departments: ['Water office'] });
    await publishIn(town, { visibility: 'targeted' });
    await town.parts.pingHub(signal);
    const urls = told();
    expect(urls).toHaveLength(12);
    const document = await town.feeds.document({ kind: 'department', name: 'Water office' }, 'json', 'zh-CN');
    expect(urls).toContain(document?.self);
    expect(document?.body).toContain(`"hubs":[{"type":"WebSub","url":"${hub.origin}/hub"}]`);
    await town.parts.pingHub(signal);
    expect(told()).toEqual([]);
  });

  it('hears of the feeds of searches that somebody asked for, as far as the item is in them, and of no others', async () => {
    const search = (keywords: string[]): FeedSource => ({ kind: 'search', search: { any: { keywords } } });
    const water = await town.feeds.document(search(['Water', '水']), 'atom', 'en');
    await town.feeds.document(search(['rent']), 'atom', 'en');
    await town.feeds.document(search(['water']), 'calendar', 'en');
    expect(water?.hub).toBe(`${hub.origin}/hub`);
    const all: FeedSource = { kind: 'search', search: { all: { keywords: ['water'], topics: ['budgets'] } } };
    await town.feeds.document(all, 'json', 'en');
    await publishIn(town, { keywords: ['water'] });
    await town.parts.pingHub(signal);
    expect(told().filter((url) => url.includes('/search/'))).toEqual([water?.self]);
    town.pass(91 * 86_400_000);
    await publishIn(town, { keywords: ['water'] });
    await town.parts.pingHub(signal);
    expect(told().filter((url) => url.includes('/search/'))).toEqual([]);
  });

  it('hears of no more searches than are remembered, however many are asked for', async () => {
    for (let n = 0; n <= 2_000; n++) {
      town.pass(1);
      await town.askedFeeds.note({ kind: 'search', search: { any: { keywords: ['water', `w${n}`] } } }, 'atom', 'en');
    }
    await publishIn(town, { keywords: ['water'] });
    expect(await town.parts.pingHub(signal)).toBe(8 + 2_000);
    const urls = told();
    expect(urls.some((url) => url.includes('keywords=w0&'))).toBe(false);
    expect(urls.some((url) => url.includes('keywords=w2000&'))).toBe(true);
  });

  it('hears of small corrections and withdrawals, too', async () => {
    const { item } = await publishIn(town);
    await town.parts.pingHub(signal);
    told();
    await town.fanout.correct(item, { change: 'minor', note: 'x', fields: { summary: 'y' } }, publisher);
    await town.parts.pingHub(signal);
    expect(told()).toHaveLength(8);
    await town.fanout.withdraw(item, 'gone', true, publisher);
    await town.parts.pingHub(signal);
    expect(told()).toHaveLength(8);
  });

  it('is tried again when it was not well, by whatever process is there then', async () => {
    status = 503;
    await publishIn(town);
    expect(await town.parts.pingHub(signal)).toBe(0);
    expect(told().length).toBeLessThanOrEqual(4);
    status = 202;
    await town.parts.pingHub(signal);
    expect(told()).toEqual([]);
    town.pass(10_000);
    const next = await town.restarted();
    expect(await next.pingHub(signal)).toBe(8);
    expect(told()).toHaveLength(8);
  });

  it('is left alone as long as it asks for', async () => {
    status = 429;
    await publishIn(town);
    await town.parts.pingHub(signal);
    told();
    town.pass(599_000);
    await town.parts.pingHub(signal);
    expect(told()).toEqual([]);
    town.pass(2_000);
    status = 202;
    expect(await town.parts.pingHub(signal)).toBe(8);
  });

  it('is not asked again for what it refuses', async () => {
    status = 400;
    await publishIn(town);
    await town.parts.pingHub(signal);
    expect(told()).toHaveLength(8);
    town.pass(3_600_000);
    await town.parts.pingHub(signal);
    expect(told()).toEqual([]);
  });

  it('is given up after a day', () => {
    const state: HubState = { known: [], owed: ['a'], attempts: 9, since: 1_000, dueAt: 0 };
    const at = (now: number) => afterPings(state, ['a'], 0, { now, random: 0 });
    expect(at(1_000 + 86_399_999)).toMatchObject({ owed: ['a'], attempts: 10, since: 1_000 });
    expect(at(1_000 + 86_400_000)).toMatchObject({ owed: [], attempts: 0 });
  });
});

describe('without a hub', () => {
  it('nobody is told, and feeds name none', async () => {
    const town = await makeTown();
    await town.feeds.document({ kind: 'search', search: { all: { topics: ['services'] } } }, 'atom', 'en');
    expect(await town.stores.feeds.askedByAnchors(['topics:services'], 0)).toEqual([]);
    await publishIn(town);
    expect(await town.parts.pingHub(new AbortController().signal)).toBe(0);
    expect(await town.stores.feeds.hubState()).toBeNull();
    expect((await town.feeds.document({ kind: 'latest' }, 'atom', 'en'))?.body).not.toContain('rel="hub"');
    await town.close();
  });

  it('a hub inside is never called', async () => {
    const town = await makeTown({ env: { WEBSUB_HUB: 'https://127.0.0.1:1/hub' } });
    await town.parts.pingHub(new AbortController().signal);
    await publishIn(town);
    expect(await town.parts.pingHub(new AbortController().signal)).toBe(0);
    expect(await town.stores.feeds.hubState()).toMatchObject({ attempts: 1 });
    await town.close();
  });
});
