import type { BrowsingService } from '../../src/browsing/browsing-service.ts';
import { signLink } from '../../src/signed-link.ts';
import { countTurns, pausesOf } from '../helpers/count-turns.ts';
import { startWeb, type Web } from '../helpers/web.ts';

let web: Web;
let ann: string;
let item: string;

type Person = { id: string; interests: { topic: string; weight: number; because: string }[]; habits: object };
type Report = { accepted: number; rejected: { index: number; message: string }[] };

const person = async (externalId: string): Promise<Person> =>
  (await web.api('GET', `/subscribers?externalId=${externalId}`)).body as unknown as Person;
const post = (events: object[], key?: string, headers: Record<string, string> = {}) =>
  web.api('POST', '/events', { events }, key, headers);
const report = async (events: object[]): Promise<Report> => (await post(events)).body as unknown as Report;
const ordinalOf = async (id: string): Promise<number> =>
  (await web.town.stores.subscriptions.subscriber({ id }))?.ordinal ?? 0;
const eventsOf = async (id: string) => web.town.stores.profiles.eventsOf(await ordinalOf(id), 100);
const publish = async (draft: object): Promise<string> => {
  const { id } = (await web.api('POST', '/items', draft)).body;
  await web.api('POST', `/items/${id}/publish`);
  return String(id);
};

/** Waits for what a page records after it has answered. */
const until = async <T>(read: () => Promise<T>, fits: (value: T) => boolean): Promise<T> => {
  for (let tries = 0; tries < 200; tries += 1) {
    const value = await read();
    if (fits(value)) return value;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error('it did not come about');
};
const untilEvents = (id: string, count: number) =>
  until(
    () => eventsOf(id),
    (events) => events.length >= count,
  );

beforeEach(async () => {
  web = await startWeb();
  const consents = { personalisation: true };
  await web.api('POST', '/topics', { slug: 'housing', title: { en: 'Housing', 'zh-CN': '住房' }, parent: 'services' });
  await web.town.people([
    {
      externalId: 'ann',
      email: 'ann@example.org',
      verified: true,
      consents,
      locale: 'en',
      timeZone: 'Europe/Paris',
      follow: [],
    },
    { externalId: 'bob', email: 'bob@example.org', verified: true, follow: [] },
  ]);
  ann = (await person('ann')).id;
  item = await publish({
    externalId: '/rent',
    title: 'Rent 2026',
    summary: 'Rent',
    language: 'en',
    topics: ['housing'],
  });
});
afterEach(() => web.close());

describe('POST /events', () => {
  it('takes what people did, and shows what follows from it with its reasons', async () => {
    const events = [
      { subscriber: ann, type: 'view', item, at: '2026-06-01T10:00:00+08:00' },
      { subscriber: { externalId: 'ann' }, type: 'view', item: { externalId: '/rent' } },
      { subscriber: ann, type: 'search', query: 'housing subsidy' },
      { subscriber: ann, type: 'download', topic: 'budgets' },
    ];
    const answer = await post(events);
    expect([answer.status, answer.body]).toEqual([202, { accepted: 4, rejected: [] }]);
    const { interests, habits } = await person('ann');
    expect(interests.map(({ topic }) => topic)).toEqual(['housing', 'budgets', 'services']);
    expect(interests[0]?.because).toBe('Since 1 June you have read 2 notices and made 1 search on “Housing”.');
    expect(interests[1]).toEqual({
      topic: 'budgets',
      weight: expect.closeTo(3 / 8, 6),
      because: 'Since 10 June you have downloaded 1 document on “Budgets and public funds”.',
    });
    expect(habits).toEqual({ lastActiveAt: '2026-06-10T04:00:00.000Z', preferredHour: null, preferredChannel: null });
    const chinese = await web.api('GET', `/subscribers/${ann}`, undefined, undefined, { 'accept-language': 'zh-CN' });
    expect((chinese.body as unknown as Person).interests[0]?.because).toBe(
      '自6月1日以来，您在“住房”方面阅读了2条信息，搜索了1次。',
    );
  });

  it('rejects by place what cannot count, and takes the rest', async () => {
    const draft = (await web.api('POST', '/items', { title: 'x', summary: 'x', language: 'en', topics: [] })).body.id;
    const secret = await publish({ title: 'x', summary: 'x', language: 'en', topics: [], visibility: 'targeted' });
    const { accepted, rejected } = await report([
      { subscriber: ann, type: 'view', item },
      { subscriber: 'nobody', type: 'view', item },
      { subscriber: { externalId: 'nobody' }, type: 'view', item },
      { subscriber: { externalId: 'bob' }, type: 'view', item },
      { subscriber: ann, type: 'view', item: 'nothing' },
      { subscriber: ann, type: 'view', item: { externalId: '/nothing' } },
      { subscriber: ann, type: 'view', item: draft },
      { subscriber: ann, type: 'view', item: secret },
      { subscriber: ann, type: 'view', topic: 'nowhere' },
      { subscriber: ann, type: 'view', item, at: '2026-06-10T04:05:00.001Z' },
      { subscriber: ann, type: 'view', item, at: '2026-03-12T03:59:59.999Z' },
      { subscriber: ann, type: 'view' },
      { subscriber: ann, type: 'search' },
      { subscriber: ann, type: 'view', item, at: '2026-06-10T04:05:00Z' },
      { subscriber: ann, type: 'view', item, at: '2026-03-12T04:00:00Z' },
    ]);
    expect(accepted).toBe(3);
    expect(rejected).toEqual([
      { index: 1, message: 'there is no such person' },
      { index: 2, message: 'there is no such person' },
      { index: 3, message: 'the person has not consented to personalisation' },
      { index: 4, message: 'there is no such published item' },
      { index: 5, message: 'there is no such published item' },
      { index: 6, message: 'there is no such published item' },
      { index: 7, message: 'there is no such published item' },
      { index: 8, message: 'unknown topic: nowhere' },
      { index: 9, message: 'the time is more than 5 minutes in the future' },
      { index: 10, message: 'the time is more than 90 days ago' },
      { index: 11, message: 'a view needs an item or a topic' },
      { index: 12, message: 'a search needs a query' },
    ]);
    expect(await eventsOf(ann)).toHaveLength(3);
    expect(await eventsOf((await person('bob')).id)).toEqual([]);
  });

  it('makes the same of events in whatever order they come', async () => {
    await web.town.people([
      { externalId: 'eve', email: 'eve@example.org', verified: true, consents: { personalisation: true }, follow: [] },
    ]);
    const days = [3, 1, 5, 2, 4];
    const did = (externalId: string) =>
      days.map((day) => ({ subscriber: { externalId }, type: 'view', item, at: `2026-06-0${day}T00:00:00Z` }));
    await post(did('ann'));
    for (const event of did('eve').reverse()) await post([event]);
    const [one, two] = [await person('ann'), await person('eve')];
    expect(two.interests[0]?.weight).toBeCloseTo(one.interests[0]?.weight ?? 0, 9);
    expect(two.interests[0]?.because).toBe(one.interests[0]?.because);
  });

  it('finds what a search is about by titles and by the keywords of items', async () => {
    await publish({ title: 'x', summary: 'x', language: 'zh-CN', topics: ['housing'], keywords: ['公租房'] });
    const queries = ['公租房申请', '住房', 'budget', 'flowers'];
    await post(queries.map((query, n) => ({ subscriber: ann, type: 'search', query, at: `2026-06-09T00:00:0${n}Z` })));
    const topics = (await eventsOf(ann)).map((event) => event.topics).reverse();
    expect(topics).toEqual([['housing'], ['housing'], ['budgets'], []]);
  });

  it('keeps searches without what hides in them, and refuses what no database keeps', async () => {
    await post([{ subscriber: ann, type: 'search', query: ' rent\u202e 2026\u200b ' }]);
    expect((await eventsOf(ann))[0]).toMatchObject({ query: 'rent 2026', topics: [] });
    const answer = await post([{ subscriber: ann, type: 'search', query: 'a\u0000b' }]);
    expect([answer.status, answer.body.errors]).toEqual([
      400,
      [{ path: 'events.0.query', message: 'must not hold the character U+0000' }],
    ]);
  });

  it('names the faults of what does not fit, and bounds a batch', async () => {
    const faults = async (events: unknown) => {
      const { status, body } = await web.api('POST', '/events', { events });
      return [status, (body.errors as { path: string }[] | undefined)?.map(({ path }) => path)];
    };
    expect(await faults([{ subscriber: ann, type: 'click', item }])).toEqual([400, ['events.0.type']]);
    expect(await faults([{ subscriber: ann, type: 'view', item, weight: 9 }])).toEqual([400, ['events.0.weight']]);
    expect(await faults([{ subscriber: ann, type: 'view', at: 'yesterday' }])).toEqual([400, ['events.0.at']]);
    expect(await faults([{ type: 'view', item }])).toEqual([400, ['events.0.subscriber']]);
    const many = (count: number) => Array.from({ length: count }, () => ({ subscriber: ann, type: 'view', item }));
    expect(await faults(many(1_001))).toEqual([400, ['events']]);
    expect((await report(many(1_000))).accepted).toBe(1_000);
    expect((await report([])).accepted).toBe(0);
    expect((await post([{ subscriber: 'x'.repeat(10_000_000), type: 'view' }])).status).toBe(413);
  });

  it('is for keys of its scope, repeats safely under an Idempotency-Key, and floods no audit log', async () => {
    const key = await web.keyFor(['events']);
    const before = (await web.town.stores.access.audit(1, 100)).length;
    const event = { subscriber: ann, type: 'view', item };
    expect((await post([event], await web.keyFor(['publish']))).status).toBe(403);
    expect((await web.api('POST', '/events', { events: [event] }, null)).status).toBe(401);
    for (const _ of [1, 2])
      expect((await post([event], key, { 'idempotency-key': 'one' })).body).toMatchObject({ accepted: 1 });
    expect(await eventsOf(ann)).toHaveLength(1);
    expect(await web.town.stores.access.audit(1, 100)).toHaveLength(before);
  });
});

describe('batches that come at once', () => {
  it('are each read in a turn of their own, so that pages come between', async () => {
    const turns = countTurns();
    const readIn: number[] = [];
    const record: BrowsingService['record'] = async (events) => {
      readIn.push(turns.now());
      return { accepted: events.length, rejected: [] };
    };
    const busy = await startWeb({ services: { browsing: { ...web.town.browsing, record } } });
    const events = Array.from({ length: 100 }, () => ({
      subscriber: { externalId: 'ann' },
      type: 'view',
      topic: 'housing',
    }));
    await Promise.all(Array.from({ length: 10 }, () => busy.api('POST', '/events', { events })));
    turns.end();
    await busy.close();
    expect(readIn).toHaveLength(10);
    for (const pause of pausesOf(readIn)) expect(pause).toBeGreaterThanOrEqual(3);
  });
});

describe('consent', () => {
  it('once taken back, leaves nothing of profile and events, and lets nothing in', async () => {
    await post([{ subscriber: ann, type: 'view', item }]);
    const { body } = await web.api('PATCH', `/subscribers/${ann}`, { consents: { personalisation: false } });
    expect(body.interests).toEqual([]);
    expect(await eventsOf(ann)).toEqual([]);
    expect((await report([{ subscriber: ann, type: 'view', item }])).accepted).toBe(0);
    await web.api('PATCH', `/subscribers/${ann}`, { consents: { personalisation: true } });
    expect((await person('ann')).interests).toEqual([]);
  });

  it('ends with the person', async () => {
    await post([{ subscriber: ann, type: 'view', item }]);
    const ordinal = await ordinalOf(ann);
    await web.api('DELETE', `/subscribers/${ann}`);
    expect(await web.town.stores.profiles.eventsOf(ordinal, 10)).toEqual([]);
    expect(await web.town.stores.profiles.profile(ordinal)).toBeNull();
  });
});

describe('an interest', () => {
  it('that is deleted stays away until the person acts on the topic again', async () => {
    await post([{ subscriber: ann, type: 'download', item }]);
    await web.town.profiles.deleteInterest(ann, 'housing');
    await post([{ subscriber: ann, type: 'view', item, at: '2026-06-09T00:00:00Z' }]);
    expect((await person('ann')).interests.map(({ topic }) => topic)).toEqual(['services']);
    web.town.pass(1_000);
    await post([{ subscriber: ann, type: 'view', item }]);
    expect((await person('ann')).interests.map(({ topic }) => topic)).toEqual(['services', 'housing']);
  });

  it('is told with its strongest evidence, of items that anybody may read', async () => {
    const gone = await publish({
      title: 'Budget',
      summary: 'x',
      language: 'en',
      topics: ['housing'],
      translations: { 'zh-CN': { title: '预算', summary: 'x' } },
    });
    await post([
      { subscriber: ann, type: 'download', item },
      { subscriber: ann, type: 'view', item: gone },
      { subscriber: ann, type: 'search', query: 'housing', at: '2025-12-31T23:30:00Z' },
      { subscriber: ann, type: 'search', query: 'housing', at: '2026-05-31T22:30:00Z' },
    ]);
    const [english] = await web.town.profiles.interestsOf(ann, 'en');
    // the first of June where she lives
    expect(english).toMatchObject({
      title: 'Housing',
      evidence: [
        'On 10 June you downloaded a document of “Rent 2026”.',
        'On 1 June you searched for “housing”.',
        'On 10 June you read “Budget”.',
      ],
    });
    const [chinese] = await web.town.profiles.interestsOf(ann, 'zh-CN');
    expect(chinese?.evidence).toEqual([
      '6月10日，您下载了《Rent 2026》中的文件。',
      '6月1日，您搜索了“housing”。',
      '6月10日，您阅读了《预算》。',
    ]);
  });

  it('forgets the raw events after 90 days and keeps what follows from them', async () => {
    await post([{ subscriber: ann, type: 'view', item }]);
    web.town.pass(91 * 86_400_000);
    expect(await web.town.browsing.forgetOld(new AbortController().signal)).toBe(1);
    expect(await eventsOf(ann)).toEqual([]);
    const [interest] = (await person('ann')).interests;
    expect(interest).toMatchObject({ topic: 'housing', because: expect.stringContaining('read 1 notice') });
  });
});

describe('reactions', () => {
  it('tell the hour and channel by which somebody likes to be reached', async () => {
    const react = { subscriber: { id: ann }, kind: 'click', item: { id: item }, channel: 'webPush' } as const;
    await web.town.browsing.record([
      react,
      { ...react, kind: 'useful' },
      { ...react, kind: 'not-for-me', channel: 'email' },
    ]);
    // 04:00 UTC is 6 in the morning in Paris in summer
    expect((await person('ann')).habits).toMatchObject({ preferredHour: 6, preferredChannel: 'webPush' });
  });
});

const session = (id: string) => `bellman-session=${signLink(web.town.keyring, 'session', id, web.town.now() + 60_000)}`;
const browser = (token: string) =>
  `bellman-visitor=${signLink(web.town.keyring, 'visitor', token, web.town.now() + 60_000)}`;
const beacon = (events: unknown, headers: Record<string, string> = {}) =>
  web.call('POST', '/api/v1/beacon', {
    headers: { 'content-type': 'text/plain;charset=UTF-8', ...headers },
    body: typeof events === 'string' ? events : JSON.stringify({ events }),
  });

describe('POST /beacon', () => {
  it('answers everybody alike, and keeps only what tied and signed-in people of consent do', async () => {
    const bob = (await person('bob')).id;
    await web.town.browsing.tie('a-browser', ann);
    const event = [{ type: 'view', item }];
    const cookies = [
      '',
      browser('a-browser'),
      browser('a-stranger'),
      session(ann),
      session(bob),
      'bellman-visitor=a-browser..xx',
    ];
    for (const cookie of cookies) {
      const answer = await beacon(event, { cookie });
      expect([answer.status, answer.text, answer.headers.get('set-cookie')]).toEqual([204, '', null]);
    }
    expect(await untilEvents(ann, 2)).toHaveLength(2);
    expect(web.rows('SELECT * FROM browsing_events')).toHaveLength(2);
    expect(web.rows('SELECT * FROM visitors')).toHaveLength(1);
  });

  it.each([['dnt'], ['sec-gpc']])('honours the browser’s wish: %s', async (wish) => {
    const cookie = session(ann);
    expect((await beacon([{ type: 'view', item }], { cookie, [wish]: '1' })).status).toBe(204);
    await beacon([{ type: 'view', topic: 'budgets' }], { cookie });
    expect((await untilEvents(ann, 1)).map(({ item: seen }) => seen)).toEqual([null]);
  });

  it('knows nobody whom the page names', async () => {
    const answer = await beacon([{ type: 'view', item, subscriber: ann }]);
    expect([answer.status, answer.body.errors]).toEqual([
      400,
      [{ path: 'events.0.subscriber', message: 'is not known here' }],
    ]);
  });

  it('refuses what it cannot read, and drops what is not there', async () => {
    expect((await beacon('{')).status).toBe(400);
    expect((await beacon([{ type: 'view', item: 'a\u0000' }])).status).toBe(400);
    expect((await beacon('x'.repeat(20_000))).status).toBe(413);
    expect((await beacon([{ type: 'view', item: 'nothing' }], { cookie: session(ann) })).status).toBe(204);
    await beacon([{ type: 'search', query: 'housing' }], { cookie: session(ann) });
    expect(await untilEvents(ann, 1)).toHaveLength(1);
  });

  it('takes no more than 120 a minute from one person', async () => {
    const many = Array.from({ length: 20 }, () => ({ kind: 'view' as const, item: { id: item } }));
    const taken: number[] = [];
    for (let n = 0; n < 8; n += 1) taken.push(await web.town.browsing.recordOnPage({ subscriber: ann }, many));
    expect(taken).toEqual([20, 20, 20, 20, 20, 20, 0, 0]);
    web.town.pass(60_000);
    expect(await web.town.browsing.recordOnPage({ subscriber: ann }, many)).toBe(20);
  });
});

describe('the pages', () => {
  it('record item views and searches of people of consent', async () => {
    const headers = { cookie: session(ann) };
    await web.call('GET', `/items/${item}`, { headers });
    await untilEvents(ann, 1);
    await web.call('GET', '/search?q=rent&topic=housing', { headers });
    await untilEvents(ann, 2);
    await web.call('GET', '/search?topic=budgets', { headers });
    const events = await untilEvents(ann, 3);
    expect(new Set(events.map(({ kind, item: seen, query, topics }) => [kind, seen, query, topics].join()))).toEqual(
      new Set([`view,${item},,housing`, 'search,,rent,housing', 'search,,,budgets']),
    );
  });

  it('record nothing of strangers, of what is only fetched ahead, or against the browser’s wish', async () => {
    const cookie = session(ann);
    await web.call('GET', `/items/${item}`);
    await web.call('HEAD', `/items/${item}`, { headers: { cookie } });
    for (const [name, value] of [
      ['dnt', '1'],
      ['sec-gpc', '1'],
      ['sec-purpose', 'prefetch;prerender'],
    ] as const)
      await web.call('GET', `/items/${item}`, { headers: { cookie, [name]: value } });
    await web.call('GET', '/items/nothing', { headers: { cookie } });
    await web.call('GET', '/topics/housing', { headers: { cookie } });
    await web.call('GET', '/search', { headers: { cookie } });
    await web.call('GET', '/search?q=last', { headers: { cookie } });
    expect((await untilEvents(ann, 1)).map(({ query }) => query)).toEqual(['last']);
    expect(web.rows('SELECT * FROM browsing_events')).toHaveLength(1);
  });

  it('serve a beacon of less than 2 KB that needs no inline script', async () => {
    const { status, headers, text } = await web.call('GET', '/beacon.js');
    expect([status, headers.get('content-type')]).toEqual([200, 'text/javascript; charset=utf-8']);
    expect(Buffer.byteLength(text)).toBeLessThan(2_048);
    expect(text).not.toMatch(/eval|innerHTML|cookie/);
  });
});
