import { adminApiKey, startWeb, type Web } from '../helpers/web.ts';

const rule = (changes: Record<string, unknown> = {}) => ({
  name: 'Tenants in Beijing',
  explanation: { en: 'You rent a home in Beijing.', 'zh-CN': '您在北京租房居住。' },
  when: { item: 'topics', has: ['services'] },
  who: {
    all: [
      { person: 'region', within: ['110000'] },
      { person: 'attributes.household', in: ['tenant'] },
    ],
  },
  deliver: { channels: ['email', 'webPush'], pace: 'immediate', priority: 5 },
  ...changes,
});

type Body = Record<string, unknown>;
const errorsOf = (body: Body): { path: string; message: string }[] => body.errors as never;

/** A key of an account of its own with these roles. */
const keyAs = async (web: Web, name: string, roles: ('publisher' | 'reviewer')[]): Promise<string> => {
  const staff = await web.town.access.addStaff({ email: `${name}@example.org`, name, roles, departments: [] });
  return (await web.town.access.addKey({ staff: staff.id, scopes: ['publish'], expiresAt: null })).key;
};

describe('rules over the API', () => {
  let web: Web;
  beforeAll(async () => {
    web = await startWeb({ env: { REVIEW: 'off' } });
  });
  afterAll(() => web.close());

  const make = async (changes: Record<string, unknown> = {}): Promise<string> => {
    const { status, body } = await web.api('POST', '/rules', rule(changes));
    expect([status, body.errors]).toEqual([201, undefined]);
    return String(body.id);
  };

  it('are made as drafts of version 1, with nothing held out unless said', async () => {
    const { status, body } = await web.api('POST', '/rules', rule());
    expect(status).toBe(201);
    expect(body).toMatchObject({
      ...rule(),
      state: 'draft',
      version: 1,
      active: null,
      pending: null,
      holdout: 0,
      tune: {},
    });
    expect((await web.api('GET', `/rules/${body.id}`)).body).toEqual({
      ...body,
      versions: [{ version: 1, writer: 'admin', approvedBy: null, createdAt: expect.any(String), usedAt: null }],
    });
  });

  it('are listed, newest first, by cursor', async () => {
    web.town.pass(1_000);
    const one = await make({ name: 'one' });
    web.town.pass(1_000);
    const two = await make({ name: 'two' });
    const first = (await web.api('GET', '/rules?limit=1')).body;
    const second = (await web.api('GET', `/rules?limit=1&cursor=${first.next}`)).body;
    const found = [first, second].flatMap(({ rules }) => (rules as Body[]).map(({ id }) => id));
    expect(found).toEqual([two, one]);
    expect((await web.api('GET', '/rules?cursor=abc')).status).toBe(400);
  });

  it('are changed by versions; each can be read', async () => {
    const id = await make();
    const changed = await web.api('PUT', `/rules/${id}`, rule({ name: 'All tenants' }));
    expect([changed.status, changed.body.version, changed.body.name]).toEqual([200, 2, 'All tenants']);
    expect((await web.api('GET', `/rules/${id}`)).body).toMatchObject({ version: 2, name: 'All tenants' });
    expect((await web.api('GET', `/rules/${id}?version=1`)).body).toMatchObject({ version: 1, name: rule().name });
    expect((await web.api('GET', `/rules/${id}?version=3`)).status).toBe(404);
  });

  it('refuse a change that was made from an older version', async () => {
    const id = await make();
    expect((await web.api('PUT', `/rules/${id}`, rule({ basedOn: 1 }))).status).toBe(200);
    const late = await web.api('PUT', `/rules/${id}`, rule({ basedOn: 1 }));
    expect([late.status, late.body.code, errorsOf(late.body)[0]?.path]).toEqual([409, 'conflict', 'basedOn']);
  });

  it('are activated and paused', async () => {
    const id = await make();
    expect((await web.api('POST', `/rules/${id}/pause`)).status).toBe(409);
    expect((await web.api('POST', `/rules/${id}/activate`)).body).toMatchObject({ state: 'active', active: 1 });
    await web.api('PUT', `/rules/${id}`, rule({ name: 'Newer' }));
    expect((await web.api('GET', `/rules/${id}`)).body).toMatchObject({ state: 'active', active: 1, version: 2 });
    expect((await web.api('POST', `/rules/${id}/pause`)).body).toMatchObject({ state: 'paused', active: 1 });
    expect((await web.api('POST', `/rules/${id}/activate`, { version: 1 })).body).toMatchObject({ active: 1 });
    expect((await web.api('POST', `/rules/${id}/activate`)).body).toMatchObject({ state: 'active', active: 2 });
    expect((await web.api('POST', `/rules/${id}/activate`, { version: 9 })).status).toBe(404);
  });

  const refused: [what: string, changes: Body, path: string, message: RegExp][] = [
    [
      'a fault in a condition',
      { who: { all: [{ person: 'age' }, { person: 'channel', has: [] }] } },
      'who.all.1.has',
      /./,
    ],
    ['an unknown field of a condition', { when: { item: 'topics', has: ['services'], x: 1 } }, 'when.x', /not known/],
    ['a person in when', { when: { not: { person: 'age', from: 60 } } }, 'when.not.person', /only the item/],
    ['an unknown topic', { when: { item: 'topics', has: ['servces'] } }, 'when.has.0', /nearest known is services/],
    [
      'a topic by its title',
      { when: { item: 'topics', has: ['公共服务'] } },
      'when.has.0',
      /nearest known is services/,
    ],
    ['an unknown region', { who: { person: 'region', within: ['11000'] } }, 'who.within.0', /nearest known is 110000/],
    [
      'an unknown attribute',
      { who: { person: 'attributes.ocupation', in: ['teacher'] } },
      'who.person',
      /is occupation/,
    ],
    ['an unknown value', { who: { person: 'attributes.occupation', in: ['techer'] } }, 'who.in.0', /is teacher/],
    [
      'an impossible interest',
      { who: { person: 'interest', topic: 'services', atLeast: 1 } },
      'who.atLeast',
      /below 1/,
    ],
    ['an impossible age', { who: { person: 'age', from: 9, to: 8 } }, 'who.from', /above/],
    ['no days', { who: { person: 'activeWithin', days: 0 } }, 'who.days', /./],
    ['bounds the wrong way round', { tune: { threshold: [0.6, 0.2] } }, 'tune.threshold', /lower bound first/],
    ['bounds outside', { tune: { threshold: [0, 1.5] } }, 'tune.threshold.1', /./],
    ['half an explanation', { explanation: { en: 'x' } }, 'explanation.zh-CN', /is required/],
    ['an empty explanation', { explanation: { en: 'x', 'zh-CN': ' ' } }, 'explanation.zh-CN', /./],
    ['no channels', { deliver: { channels: [], pace: 'daily', priority: 1 } }, 'deliver.channels', /./],
    ['too much held out', { holdout: 0.6 }, 'holdout', /./],
    ['a priority of 10', { deliver: { channels: ['sms'], pace: 'daily', priority: 10 } }, 'deliver.priority', /./],
    ['an unknown field', { colour: 'red' }, 'colour', /not known/],
    ['a name that runs backwards', { name: 'a\u202eb' }, 'name', /writing direction/],
    ['the character U+0000', { name: 'a\u0000b' }, 'name', /U\+0000/],
  ];
  it.each(refused)('refuse %s', async (_what, changes, path, message) => {
    for (const { status, body } of [
      await web.api('POST', '/rules', rule(changes)),
      await web.api('PUT', `/rules/${await make()}`, rule(changes)),
    ]) {
      expect([status, body.code]).toEqual([400, 'invalid']);
      expect(errorsOf(body)).toEqual(expect.arrayContaining([{ path, message: expect.stringMatching(message) }]));
    }
  });

  it('refuse what is too large, too deep, too much', async () => {
    const leaf = { item: 'category', in: ['a'] };
    // as text: JSON.stringify cannot go so deep
    const deep = JSON.stringify(rule({ who: 'DEEP' })).replace(
      '"DEEP"',
      `${'{"not":'.repeat(50_000)}{}${'}'.repeat(50_000)}`,
    );
    const answer = await web.call('POST', '/api/v1/rules', {
      headers: {
        authorization: `Bearer ${adminApiKey}`,
        'content-type': 'application/json',
        'idempotency-key': 'deep',
      },
      body: deep,
    });
    expect(answer.body.errors).toEqual([{ path: 'who', message: expect.stringMatching(/more than 10 deep/) }]);
    const wide = { any: Array.from({ length: 200 }, () => leaf) };
    expect((await web.api('POST', '/rules', rule({ who: wide }))).body.errors).toEqual([
      { path: 'who', message: expect.stringMatching(/more than 200/) },
    ]);
    const huge = await web.api('POST', '/rules', rule({ name: 'x'.repeat(10_000_000) }));
    expect([huge.status, huge.body.code]).toEqual([413, 'body-too-large']);
  });

  it('answer 404 for what is not there', async () => {
    for (const [method, path, body] of [
      ['GET', '/rules/nope'],
      ['PUT', '/rules/nope', rule()],
      ['POST', '/rules/nope/activate'],
      ['POST', '/rules/nope/approve'],
      ['POST', '/rules/nope/reject', { reason: 'x' }],
      ['POST', '/rules/nope/pause'],
    ] as const)
      expect([path, (await web.api(method, path, body)).status]).toEqual([path, 404]);
  });

  it('are read by analysts and written by publishers', async () => {
    const id = await make();
    const analyst = await web.keyFor(['analyse']);
    expect((await web.api('GET', '/rules', undefined, analyst)).status).toBe(200);
    expect((await web.api('GET', `/rules/${id}`, undefined, analyst)).status).toBe(200);
    expect((await web.api('POST', '/rules', rule(), analyst)).status).toBe(403);
    expect((await web.api('POST', `/rules/${id}/activate`, {}, analyst)).status).toBe(403);
    const events = await web.keyFor(['events']);
    expect((await web.api('GET', '/rules', undefined, events)).status).toBe(403);
    expect((await web.api('GET', '/rules', undefined, null)).status).toBe(401);
    const publisher = await web.keyFor(['publish']);
    expect((await web.api('GET', '/rules', undefined, publisher)).status).toBe(200);
  });
});

describe('the review of rules', () => {
  let web: Web;
  let writer: string;
  let reviewer: string;
  beforeAll(async () => {
    web = await startWeb({ env: { REVIEW: 'on' } });
    writer = await keyAs(web, 'writer', ['publisher', 'reviewer']);
    reviewer = await keyAs(web, 'reviewer', ['reviewer']);
  });
  afterAll(() => web.close());

  it('lets nobody approve their own; an approved version needs no second review', async () => {
    const { id } = (await web.api('POST', '/rules', rule(), writer)).body;
    const post = async (step: string, key: string, body?: Body) => {
      const { status, body: answer } = await web.api('POST', `/rules/${id}/${step}`, body, key);
      return { status, ...answer };
    };
    expect(await post('approve', reviewer)).toMatchObject({ status: 409, code: 'wrong-state' });
    const waiting = { status: 200, state: 'draft', active: null, pending: { version: 1, state: 'in-review' } };
    expect(await post('activate', writer)).toMatchObject(waiting);
    expect(await post('activate', writer)).toMatchObject(waiting);
    expect(await post('approve', writer)).toMatchObject({ status: 403, code: 'own-work' });
    expect(await post('reject', reviewer, { reason: 'Too wide.' })).toMatchObject({
      status: 200,
      state: 'draft',
      pending: null,
      rejection: 'Too wide.',
    });
    await post('activate', writer);
    expect(await post('approve', reviewer)).toMatchObject({
      status: 200,
      state: 'active',
      active: 1,
      pending: null,
      rejection: null,
      approvedBy: expect.any(String),
    });
    await web.api('PUT', `/rules/${id}`, rule({ name: 'Newer' }), writer);
    expect(await post('activate', writer)).toMatchObject({ state: 'active', active: 1, pending: { version: 2 } });
    await web.api('PUT', `/rules/${id}`, rule({ name: 'Newest' }), writer);
    expect(await post('activate', writer)).toMatchObject({ status: 409, code: 'conflict' });
    expect(await post('pause', writer)).toMatchObject({ status: 200, state: 'paused', pending: null });
    expect(await post('activate', writer, { version: 1 })).toMatchObject({ status: 200, state: 'active', active: 1 });
    expect(await post('activate', writer)).toMatchObject({ active: 1, pending: { version: 3 } });
    expect(await post('approve', reviewer)).toMatchObject({ state: 'active', active: 3 });
  });
});
