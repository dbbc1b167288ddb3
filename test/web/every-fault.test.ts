import { adminApiKey, startWeb, type Web } from '../helpers/web.ts';

type Fault = { path: string };

/** What a call's form and its meaning have against it is told in one answer, so that nobody mends and asks twice. */
describe('every fault is named, of form and of meaning', () => {
  let web: Web;
  beforeAll(async () => {
    web = await startWeb({ rateLimits: { send: 10_000, guess: 10_000 } });
  });
  afterAll(() => web.close());

  const faults = async (method: string, path: string, body: object): Promise<string[]> => {
    const answer = await web.api(method, path, body);
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid']);
    return (answer.body.errors as Fault[]).map((fault) => fault.path).sort();
  };

  it('of a sign-up', async () => {
    const follow = [
      { topic: 'nope' },
      { foo: 1 },
      { search: { all: { topics: ['services', 7, 'moon'] } }, regions: ['Oz', ''] },
      { item: 'unknown', pace: 'hourly' },
    ];
    expect(await faults('POST', '/subscriptions', { email: 'not', follow, locale: '?', region: 'zz' })).toEqual([
      'email',
      'follow.0.topic',
      'follow.1',
      'follow.1.foo',
      'follow.2.regions.0',
      'follow.2.regions.1',
      'follow.2.search.all.topics.1',
      'follow.2.search.all.topics.2',
      'follow.3.item',
      'follow.3.pace',
      'locale',
      'region',
    ]);
    const webPush = { endpoint: 'http://push.example.org/1', keys: { p256dh: 'short', auth: 'A'.repeat(22) } };
    expect(await faults('POST', '/subscriptions', { webPush, phone: '1', follow: [] })).toEqual([
      '',
      'follow',
      'phone',
      'webPush.endpoint',
      'webPush.keys.p256dh',
    ]);
  });

  it('of a sign-up with texts that no database keeps', async () => {
    const follow = [{ item: 'a\u0000b' }, { topic: '\udc00' }, { item: '\ud83d', regions: ['\u0000'] }];
    expect(await faults('POST', '/subscriptions', { email: 'a\u0000b@example.org', follow })).toEqual([
      'email',
      'follow.0.item',
      'follow.1.topic',
      'follow.2.item',
      'follow.2.regions.0',
    ]);
    for (const body of [[], 'x', null, 7]) expect((await web.api('POST', '/subscriptions', body)).status).toBe(400);
  });

  it('of a line of an import', async () => {
    const bad = {
      email: 'x',
      phone: '1',
      webPush: { endpoint: 'nowhere', keys: { p256dh: 'short', auth: 7 } },
      locale: 7,
      region: 'nope',
      timeZone: 'Mars/X',
      attributes: { shoe: '44', birthYear: null, occupation: ['astronaut'] },
      quietHours: { from: '25:00' },
      follow: [{ topic: 'nope' }, { item: 'unknown', pace: 'hourly' }, 7],
      colour: 'red',
    };
    const lines = [bad, { follow: [{ topic: 'nope' }] }, { externalId: 7, verified: true, follow: [] }, 7];
    const { body } = await web.call('POST', '/api/v1/subscribers/import', {
      headers: { authorization: `Bearer ${adminApiKey}`, 'content-type': 'application/x-ndjson' },
      body: lines.map((line) => JSON.stringify(line)).join('\n'),
    });
    const named = (line: number) =>
      (body.errors as (Fault & { line: number })[]).filter((one) => one.line === line).map((one) => one.path);
    expect(body.failed).toBe(4);
    expect(named(1).sort()).toEqual([
      'attributes.birthYear',
      'attributes.occupation',
      'attributes.shoe',
      'colour',
      'email',
      'follow.0.topic',
      'follow.1.item',
      'follow.1.pace',
      'follow.2',
      'locale',
      'phone',
      'quietHours.from',
      'quietHours.to',
      'region',
      'timeZone',
      'verified',
      'webPush.endpoint',
      'webPush.keys.auth',
      'webPush.keys.p256dh',
    ]);
    expect(named(2).sort()).toEqual(['', 'follow.0.topic', 'verified']);
    expect(named(3)).toEqual(['externalId']);
    expect(named(4)).toEqual(['']);
  });

  it('of a change of a person', async () => {
    await web.town.people([{ externalId: 'e1', email: 'e1@example.org', verified: true, follow: [] }]);
    const { id } = (await web.api('GET', '/subscribers?externalId=e1')).body;
    const change = {
      region: 'zz',
      timeZone: 'Mars/X',
      attributes: { q: 1, birthYear: {} },
      quietHours: { from: '25:00', to: '07:00' },
      consents: {},
    };
    expect(await faults('PATCH', `/subscribers/${id}`, change)).toEqual([
      'attributes.birthYear',
      'attributes.q',
      'consents.personalisation',
      'quietHours.from',
      'region',
      'timeZone',
    ]);
  });

  it('of an item, its changes, its corrections and imports', async () => {
    const names = { topics: ['services', 7, 'moon'], regions: ['nope'] };
    const named = ['regions.0', 'topics.1', 'topics.2'];
    expect(await faults('POST', '/items', { ...names, title: 'x', summary: 'x' })).toEqual(['language', ...named]);
    const draft = { title: 'x', summary: 'x', language: 'en', topics: [] };
    const { id } = (await web.api('POST', '/items', draft)).body;
    expect(await faults('PATCH', `/items/${id}`, { ...names, title: '' })).toEqual([...named, 'title'].sort());
    expect(await faults('POST', `/items/${id}/correct`, { ...names, change: 'huge' })).toEqual(
      [...named, 'change', 'note'].sort(),
    );
    expect(await faults('POST', '/items/import', { format: 'pdf', topics: ['moon'] })).toEqual([
      'content',
      'format',
      'topics.0',
    ]);
  });

  it('of topics, regions, attributes and keys', async () => {
    expect(await faults('POST', '/topics', { slug: 'A b', parent: 'moon' })).toEqual(['parent', 'slug', 'title']);
    expect(await faults('POST', '/regions', { name: 'x', code: 'X', parent: 'Oz' })).toEqual(['name', 'parent']);
    expect(await faults('POST', '/attributes', { name: 'a b', type: 'integer', values: ['x'] })).toEqual([
      'name',
      'title',
      'values',
    ]);
    expect(await faults('POST', '/attributes', { name: 'a', type: 'enum', values: [] })).toEqual(['title', 'values']);
    expect(
      await faults('POST', '/keys', { staff: 'admin', scopes: ['all'], expiresAt: '2020-01-01T00:00:00Z' }),
    ).toEqual(['expiresAt', 'scopes.0']);
    expect(
      await faults('POST', '/keys', { staff: 'admin', scopes: ['admin'], expiresAt: '2020-01-01T00:00:00Z' }),
    ).toEqual(['expiresAt']);
  });
});
