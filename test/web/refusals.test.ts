import { startWeb, type Web } from '../helpers/web.ts';

const faultPaths = (body: Record<string, unknown>): string[] =>
  (body.errors as { path: string }[]).map((fault) => fault.path);

describe('what the API refuses', () => {
  let web: Web;
  beforeAll(async () => {
    web = await startWeb({ rateLimits: { send: 10_000, guess: 10_000 } });
  });
  afterAll(() => web.close());

  const raw = (path: string, body: string, headers: Record<string, string> = {}) =>
    web.call('POST', `/api/v1${path}`, {
      body,
      headers: {
        authorization: 'Bearer an-admin-key-for-the-web-tests',
        'content-type': 'application/json',
        ...headers,
      },
    });

  it.each([
    ['no key', () => web.api('POST', '/items', {}, null), 401, 'no-key'],
    ['a wrong key', () => web.api('GET', '/pushes', undefined, 'x.y'), 401, 'no-key'],
    ['a wrong key on a public call', () => web.api('GET', '/topics', undefined, 'x.y'), 401, 'no-key'],
    ['unreadable JSON', () => raw('/items', '{"title":'), 400, 'invalid-json'],
    ['JSON that is no object', () => raw('/items', '"text"'), 400, 'invalid-json'],
    ['a list', () => raw('/items', '[]'), 400, 'invalid'],
    ['another media type', () => raw('/items', '{}', { 'content-type': 'text/plain' }), 415, 'unsupported-media-type'],
    ['XML', () => raw('/items', '<x/>', { 'content-type': 'application/xml' }), 415, 'unsupported-media-type'],
    [
      'an unknown charset',
      () => raw('/items', '{}', { 'content-type': 'application/json; charset=x' }),
      415,
      'unsupported-media-type',
    ],
    ['an unknown encoding', () => raw('/items', '{}', { 'content-encoding': 'x' }), 415, 'unsupported-media-type'],
    ['a large body', () => raw('/topics', JSON.stringify({ slug: 'x'.repeat(300_000) })), 413, 'body-too-large'],
    ['an unknown path', () => web.api('GET', '/nothing'), 404, 'not-found'],
    ['a path of a later day', () => web.api('POST', '/weather', {}), 404, 'not-found'],
    ['a path outside the version', () => web.call('GET', '/api/v2/topics'), 404, 'not-found'],
    ['another method', () => web.api('DELETE', '/topics'), 405, 'method-not-allowed'],
    ['an unknown item', () => web.api('GET', '/items/unknown'), 404, 'not-found'],
    ['a malformed id', () => web.api('GET', '/items/%00'), 404, 'not-found'],
    ['a very long id', () => web.api('GET', `/pushes/${'x'.repeat(5_000)}`), 404, 'not-found'],
    ['a path that cannot be decoded', () => web.api('GET', '/items/%E0%A4%A'), 400, 'invalid'],
    ['an unknown push', () => web.api('GET', '/pushes/unknown/deliveries'), 404, 'not-found'],
    ['events of an unknown push', () => web.api('GET', '/pushes/unknown/events'), 404, 'not-found'],
    ['an unknown person', () => web.api('GET', '/subscribers?externalId=x'), 404, 'not-found'],
    ['an unknown key', () => web.api('DELETE', '/keys/unknown'), 404, 'not-found'],
    [
      'a link that is not ours',
      () => web.api('POST', '/subscriptions/confirm', { token: 'bad' }, null),
      403,
      'bad-link',
    ],
    [
      'a wrong code',
      () => web.api('POST', '/subscriptions/confirm', { phone: '+8613800138000', code: '1' }, null),
      400,
      'wrong-code',
    ],
    [
      'a bad Idempotency-Key',
      () => web.api('POST', '/topics', {}, undefined, { 'idempotency-key': 'x'.repeat(300) }),
      400,
      'invalid',
    ],
  ] as const)('%s, with a problem document', async (_what, ask, status, code) => {
    const answer = await ask();
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    expect(answer.headers.get('content-type')).toMatch('application/problem+json');
    expect(Object.keys(answer.body).sort()).toEqual(['code', 'detail', 'errors', 'status', 'title', 'type']);
    expect(answer.body.status).toBe(status);
    if (status === 401) expect(answer.headers.get('www-authenticate')).toBe('Bearer');
  });

  it('a key without the scope, for every keyed call', async () => {
    const [machine, analyst] = [await web.keyFor(['events']), await web.keyFor(['analyse'])];
    const document = (await web.api('GET', '/openapi.json', undefined, null)).body as unknown as {
      paths: Record<string, Record<string, { security: object[] }>>;
    };
    const calls = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { security }]) => ({ path, method, keyed: security.length === 1 })),
    );
    expect(calls.filter((call) => call.keyed).length).toBeGreaterThan(20);
    for (const { path, method } of calls.filter((call) => call.keyed)) {
      const at = path.replace('{id}', 'x');
      const key = /^\/(events|hooks)/.test(path) ? analyst : machine;
      expect([path, method, (await web.api(method.toUpperCase(), at, undefined, key)).body.code]).toEqual([
        path,
        method,
        'no-scope',
      ]);
      expect([path, method, (await web.api(method.toUpperCase(), at, undefined, null)).body.code]).toEqual([
        path,
        method,
        'no-key',
      ]);
    }
  });

  it('other methods, naming those it takes', async () => {
    expect((await web.api('PUT', '/items/x')).headers.get('allow')).toBe('GET, HEAD, PATCH');
    expect((await web.api('GET', '/items/import')).headers.get('allow')).toBe('POST');
    expect((await web.call('HEAD', '/api/v1/topics')).status).toBe(200);
  });

  it('every fault at once, unknown fields by name', async () => {
    const { body, status } = await web.api('POST', '/items', {
      titel: 'x',
      summary: '',
      language: 'no language',
      topics: ['ok', 7],
      urgency: 'very',
      deadline: 'tomorrow',
      translations: { en: { title: 'x', summary: 'y', extra: 1 } },
      __proto: 1,
    });
    expect(status).toBe(400);
    expect(faultPaths(body).sort()).toEqual([
      '__proto',
      'deadline',
      'language',
      'summary',
      'titel',
      'title',
      'topics.0',
      'topics.1',
      'translations.en.extra',
      'urgency',
    ]);
    expect(body.errors).toContainEqual({ path: 'titel', message: 'is not known here' });
    expect(body.errors).toContainEqual({ path: 'title', message: 'is required' });
  });

  it('unknown query fields, and limits out of range', async () => {
    const { body } = await web.api('GET', '/items?limit=0&status=x&state=lost');
    expect(faultPaths(body).sort()).toEqual(['limit', 'state', 'status']);
    for (const query of ['limit=201', 'limit=x', 'limit=1.5', 'limit=', 'limit=1&limit=2', 'cursor='])
      expect([query, (await web.api('GET', `/pushes?${query}`)).status]).toEqual([query, 400]);
  });

  it.each(['/items', '/pushes', '/topics', '/regions', '/attributes'])('a malformed cursor of %s', async (path) => {
    for (const cursor of ['x', '%00', 'W10', 'bnVsbA', 'WyJhIiwiYiJd', '"', '../..']) {
      const { status, body } = await web.api('GET', `${path}?cursor=${encodeURIComponent(cursor)}`);
      expect([cursor, status, faultPaths(body)]).toEqual([cursor, 400, ['cursor']]);
    }
  });

  it('texts that no database keeps', async () => {
    const topic = (en: string) => ({ slug: 'x', title: { en, 'zh-CN': 'x' } });
    for (const text of ['a\u0000b', 'half \ud83d', '\udc00'])
      expect(faultPaths((await web.api('POST', '/topics', topic(text))).body)).toEqual(['title.en']);
    expect((await web.api('GET', '/items?q=%00')).status).toBe(400);
  });

  it('a body for a call that takes none, but not an empty one', async () => {
    expect(faultPaths((await web.api('POST', '/items/x/submit', { force: true })).body)).toEqual(['force']);
    expect((await web.api('POST', '/items/x/submit', {})).status).toBe(404);
    expect((await raw('/items/x/submit', '')).status).toBe(404);
  });

  it('a body nested ten thousand deep, without falling over', async () => {
    const deep = '['.repeat(10_000) + ']'.repeat(10_000);
    expect((await raw('/topics', `{"slug":${deep}}`)).status).toBe(400);
    expect((await raw('/pushes', `{"item":"x","note":"x","audience":{"all":${deep}}}`)).status).toBe(400);
  });

  it('an audience that is neither people nor a sound condition, each fault at its place', async () => {
    const paths = async (audience: unknown) =>
      faultPaths((await web.api('POST', '/pushes', { item: 'x', note: 'y', audience })).body);
    expect(await paths({ person: 'region', within: ['x'] })).toEqual(['audience.within.0']);
    expect(await paths({ all: [{ person: 'channel', has: ['post'] }] })).toEqual(['audience.all.0.has.0']);
    expect(await paths({ subscribers: ['x'], all: [] })).toEqual(['audience.all']);
    expect(await paths({ subscribers: [] })).toEqual(['audience.subscribers']);
    expect(await paths({})).toEqual(['audience']);
    const { body } = await web.api('POST', '/pushes', { item: 'x', note: 'y', audience: 'all' });
    expect(new Set(faultPaths(body))).toEqual(new Set(['audience']));
  });

  it('a sign-up with no contact or two, beside its other faults', async () => {
    const none = await web.api(
      'POST',
      '/subscriptions',
      { follow: [{ topic: 'services', pace: 'hourly' }], locale: 'x_x' },
      null,
    );
    expect(faultPaths(none.body).sort()).toEqual(['', 'follow.0.pace', 'locale']);
    const two = await web.api(
      'POST',
      '/subscriptions',
      { email: 'a@b.c', phone: '13800138000', follow: [{ topic: 'services' }] },
      null,
    );
    expect(faultPaths(two.body)).toEqual(['']);
    const push = { endpoint: 'ftp://x', keys: { p256dh: 'short', auth: 'x' } };
    const bad = await web.api('POST', '/subscriptions', { webPush: push, follow: [] }, null);
    expect(faultPaths(bad.body).sort()).toEqual([
      'follow',
      'webPush.endpoint',
      'webPush.keys.auth',
      'webPush.keys.p256dh',
    ]);
    expect(web.rows('SELECT * FROM sign_ups')).toEqual([]);
  });

  it('both department and departments', async () => {
    const item = { title: 'x', summary: 'x', language: 'en', topics: [] };
    const { body } = await web.api('POST', '/items', { ...item, department: 'a', departments: ['b'] });
    expect(faultPaths(body)).toEqual(['department']);
  });

  it('a flood from one address, but not from a key', async () => {
    const busy = await startWeb({ rateLimits: { send: 3, guess: 2 } });
    const ask = (key: string | null) =>
      busy.api('POST', '/subscriptions', { email: 'a@b.c', follow: [{ topic: 'policies' }] }, key);
    const statuses = [];
    for (let n = 0; n < 5; n += 1) statuses.push((await ask(null)).status);
    expect(statuses).toEqual([202, 202, 202, 429, 429]);
    const refused = await ask(null);
    expect(refused.body.code).toBe('too-many');
    expect(refused.headers.get('retry-after')).toBe('60');
    expect((await ask('an-admin-key-for-the-web-tests')).status).toBe(202);
    await busy.close();
  });
});
