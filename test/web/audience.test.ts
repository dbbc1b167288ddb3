import { AppError } from '../../src/errors.ts';
import { adminApiKey, startWeb, type Web } from '../helpers/web.ts';

type Body = Record<string, unknown>;

const tenants = { person: 'attributes.household', in: ['tenant'] };
const rule = {
  name: 'Tenants in Beijing',
  explanation: { en: 'You rent a home in Beijing.', 'zh-CN': '您在北京租房居住。' },
  when: { item: 'topics', has: ['services'] },
  who: { all: [{ person: 'region', within: ['110000'] }, tenants] },
  deliver: { channels: ['email'], pace: 'immediate', priority: 5 },
};
const draft = { title: 'Rent subsidy', summary: 'Apply by June.', language: 'en', topics: ['services'] };

const resident = (n: number, overrides: object = {}): object => ({
  externalId: `p${n}`,
  email: `p${n}@example.org`,
  verified: true,
  locale: n % 2 === 0 ? 'en' : 'zh-CN',
  region: '110000',
  consents: { personalisation: true },
  attributes: { household: ['tenant'] },
  follow: [{ topic: 'budgets' }],
  ...overrides,
});

let web: Web;
let publisherKey: string;
beforeAll(async () => {
  web = await startWeb({ env: { REVIEW: 'off' } });
  const { town } = web;
  const staff = await town.access.addStaff({
    email: 'pub@example.org',
    name: 'pub',
    roles: ['publisher'],
    departments: [],
  });
  publisherKey = (await town.access.addKey({ staff: staff.id, scopes: ['publish'], expiresAt: null })).key;
  await town.people([
    ...Array.from({ length: 20 }, (_, n) => resident(n)),
    resident(20, { region: '310000' }),
    resident(21, { consents: { personalisation: false } }),
    resident(22, { attributes: {}, follow: [{ topic: 'services' }] }),
  ]);
});
afterAll(() => web.close());

const preview = async (body: object, key = adminApiKey): Promise<Body> => {
  const answer = await web.api('POST', '/audience/preview', body, key);
  expect([answer.status, answer.body.errors]).toEqual([200, undefined]);
  return answer.body;
};

describe('a preview', () => {
  it('counts exactly whom a draft with rules and subscriptions would reach, and shows a masked sample', async () => {
    const made = (await web.api('POST', '/rules', rule)).body;
    await web.api('POST', `/rules/${made.id}/activate`);
    const found = await preview({ item: draft });
    expect(found).toMatchObject({
      people: 21,
      reachable: { email: 21, sms: 0, webPush: 0, wechat: 0 },
      byRegion: [{ key: '110000', people: 21 }],
      byLanguage: [
        { key: 'en', people: 11 },
        { key: 'zh-CN', people: 10 },
      ],
      bySource: [
        { key: `rule:${made.id}@1`, people: 20 },
        { key: 'subscription:topic:services', people: 1 },
      ],
      warnings: [],
    });
    const sample = found.sample as { addresses: string[] }[];
    expect(sample).toHaveLength(10);
    expect(JSON.stringify(sample)).not.toMatch(/p\d+@example\.org/);
    await web.api('POST', `/rules/${made.id}/pause`);
  });

  it('counts `who` alone when it is asked alone: those who consented and can be reached', async () => {
    expect(await preview({ item: draft, who: tenants })).toMatchObject({
      people: 21,
      bySource: [{ key: 'who', people: 21 }],
      byRegion: [
        { key: '110000', people: 20 },
        { key: '310000', people: 1 },
      ],
    });
  });

  it('is the number that a push then has', async () => {
    const item = await web.api('POST', '/items', draft);
    await web.api('POST', `/items/${item.body.id}/publish`);
    await web.town.drain();
    const found = await preview({ item: item.body.id, who: tenants });
    const pushed = await web.api('POST', '/pushes', { item: item.body.id, audience: tenants, note: 'to tenants' });
    expect(pushed.status).toBe(202);
    await web.town.drain();
    const push = (await web.api('GET', `/pushes/${(pushed.body.push as Body).id}`)).body;
    expect((push.counts as Body).matched).toBe(found.people);
  });

  it('hides counts of 1 to 9 and every person from whoever may not read people', async () => {
    const found = await preview({ item: draft, who: tenants }, publisherKey);
    expect(found).toMatchObject({
      people: 21,
      byRegion: [
        { key: '110000', people: 20 },
        { key: '310000', people: null, fewerThan: 10 },
      ],
      sample: [],
    });
    const few = await preview({ item: draft, who: { person: 'region', within: ['310000'] } }, publisherKey);
    expect(few).toMatchObject({
      people: null,
      fewerThan: 10,
      reachable: { email: null, sms: 0, webPush: 0, fewerThan: 10 },
      byLanguage: [{ people: null, fewerThan: 10 }],
    });
  });

  it('warns of a condition that selects nobody or everybody', async () => {
    const nobody = await preview({ item: draft, who: { person: 'region', within: ['540000'] } });
    expect(nobody).toMatchObject({ people: 0, warnings: ['selects-nobody'] });
    const all = await preview({ item: draft, subscriptions: true, who: { person: 'channel', has: ['email'] } });
    expect(all).toMatchObject({ people: 22, warnings: ['selects-everybody'] });
    const some = await preview({ item: draft, who: tenants });
    expect(some).toMatchObject({ people: 21, warnings: [] });
  });

  it('names every fault of the condition and of the draft', async () => {
    const who = {
      any: [
        { person: 'attributes.houshold', in: ['tenant'] },
        { person: 'region', within: ['11000'] },
      ],
    };
    const { status, body } = await web.api('POST', '/audience/preview', { item: draft, who });
    expect(status).toBe(400);
    expect((body.errors as { path: string }[]).map(({ path }) => path)).toEqual([
      'who.any.0.person',
      'who.any.1.within.0',
    ]);
    const unknown = await web.api('POST', '/audience/preview', { item: 'nothing' });
    expect(unknown.status).toBe(404);
  });
});

describe('activating a rule', () => {
  const activated = async (who: object, key = adminApiKey, when: object = rule.when): Promise<Body> => {
    const made = (await web.api('POST', '/rules', { ...rule, who, when }, key)).body;
    const answer = await web.api('POST', `/rules/${made.id}/activate`, {}, key);
    await web.api('POST', `/rules/${made.id}/pause`, undefined, key);
    expect([answer.status, answer.body.state]).toEqual([200, 'active']);
    return answer.body.audience as Body;
  };

  it('says how many it selects, and warns where that is everybody or nobody', async () => {
    expect(await activated(tenants)).toMatchObject({ people: 21, warnings: [], asOf: expect.any(String) });
    expect(await activated({ all: [] })).toMatchObject({ people: 22, warnings: ['selects-everybody'] });
    expect(await activated({ person: 'region', within: ['540000'] })).toMatchObject({
      people: 0,
      warnings: ['selects-nobody'],
    });
  });

  it('hides 1 to 9 from whoever may not read people, and that they are all', async () => {
    expect(await activated({ person: 'region', within: ['310000'] }, publisherKey)).toMatchObject({
      people: null,
      fewerThan: 10,
      warnings: [],
    });
    expect(await activated({ person: 'region', within: ['310000'] })).toMatchObject({ people: 1 });
    expect(await activated({ all: [] }, publisherKey)).toMatchObject({ people: 22, warnings: ['selects-everybody'] });
    const small = await startWeb({ env: { REVIEW: 'off' } });
    await small.town.people([resident(1)]);
    const made = (await small.api('POST', '/rules', { ...rule, who: { all: [] } })).body;
    const staff = await small.town.access.addStaff({
      email: 'a@b.org',
      name: 'a',
      roles: ['publisher'],
      departments: [],
    });
    const { key } = await small.town.access.addKey({ staff: staff.id, scopes: ['publish'], expiresAt: null });
    const seen = await small.api('POST', `/rules/${made.id}/activate`, {}, key);
    expect(seen.body.audience).toMatchObject({ people: null, fewerThan: 10, warnings: [] });
    const previewed = await small.api('POST', '/audience/preview', { item: draft, who: { all: [] } }, key);
    expect(previewed.body).toMatchObject({ people: null, warnings: [] });
    const tried = await small.api('POST', `/rules/${made.id}/dry-run`, { who: { all: [] } }, key);
    expect(tried.body).toMatchObject({ stay: null, warnings: [] });
    const exact = await small.api('POST', `/rules/${made.id}/activate`, {});
    expect(exact.body.audience).toMatchObject({ people: 1, warnings: ['selects-everybody'] });
    await small.close();
  });

  it('leaves out whoever has opted out of it', async () => {
    const made = (await web.api('POST', '/rules', { ...rule, who: tenants })).body;
    const person = await web.town.stores.subscriptions.subscriber({ externalId: 'p1' });
    await web.town.stores.subscriptions.optOut(person?.ordinal ?? 0, [String(made.id)], 1);
    expect((await web.api('POST', `/rules/${made.id}/activate`, {})).body.audience).toMatchObject({ people: 20 });
    expect((await web.api('POST', `/rules/${made.id}/dry-run`, { who: tenants })).body).toMatchObject({ stay: 20 });
    await web.api('POST', `/rules/${made.id}/pause`);
  });

  it('is done though the index is being built', async () => {
    const building = async (): Promise<never> => {
      throw new AppError('index-building', 'The audience index is being built.');
    };
    const early = await startWeb({
      env: { REVIEW: 'off' },
      services: { audience: { ...web.town.audience, reach: building } },
    });
    const made = (await early.api('POST', '/rules', rule)).body;
    const answer = await early.api('POST', `/rules/${made.id}/activate`, {});
    expect([answer.status, answer.body.state, answer.body.audience]).toEqual([200, 'active', null]);
    await early.close();
  });
});

describe('explain', () => {
  it('says each condition’s own result, and why', async () => {
    const made = (await web.api('POST', '/rules', rule)).body;
    await web.api('POST', `/rules/${made.id}/activate`);
    const item = (await web.api('POST', '/items', draft)).body;
    const idOf = async (externalId: string) => (await web.api('GET', `/subscribers?externalId=${externalId}`)).body.id;
    const asked = { item: item.id, rule: made.id };
    const yes = (await web.api('POST', '/audience/explain', { ...asked, subscriber: await idOf('p0') })).body;
    expect(yes.matched).toBe(true);
    expect(yes.reasons).toEqual([
      { source: `rule:${made.id}@1`, text: expect.stringContaining('You rent a home'), facts: expect.anything() },
    ]);
    expect((yes.conditions as Body[]).map(({ holds }) => holds)).toEqual([true, true, true, true]);
    const no = (await web.api('POST', '/audience/explain', { ...asked, subscriber: await idOf('p20') })).body;
    expect(no.matched).toBe(false);
    expect((no.conditions as Body[]).map(({ holds }) => holds)).toEqual([true, false, false, true]);
    const untold = (await web.api('POST', '/audience/explain', { ...asked, subscriber: await idOf('p22') })).body;
    expect((untold.conditions as Body[]).map(({ holds }) => holds)).toEqual([true, null, true, null]);
    const followed = (await web.api('POST', '/audience/explain', { item: item.id, subscriber: await idOf('p22') }))
      .body;
    expect(followed).toMatchObject({ matched: true, reasons: [{ source: 'subscription:topic:services' }] });
    await web.api('POST', `/rules/${made.id}/pause`);
  });
});

describe('a dry run', () => {
  it('says who gains, who loses and who stays', async () => {
    const made = (await web.api('POST', '/rules', rule)).body;
    const who = {
      all: [{ person: 'region', within: ['310000', '110000'] }, tenants, { person: 'language', in: ['en'] }],
    };
    const found = await web.api('POST', `/rules/${made.id}/dry-run`, { who });
    expect([found.status, found.body.errors]).toEqual([200, undefined]);
    expect(found.body).toMatchObject({
      gains: 1,
      loses: 10,
      stay: 10,
      byRegion: [
        { key: '110000', gains: 0, loses: 10, stay: 10 },
        { key: '310000', gains: 1, loses: 0, stay: 0 },
      ],
    });
    const hidden = (await web.api('POST', `/rules/${made.id}/dry-run`, { who }, publisherKey)).body;
    expect(hidden).toMatchObject({ gains: null, loses: 10, stay: 10, fewerThan: 10 });
    const elsewhere = { who: rule.who, when: { item: 'topics', has: ['licensing'] } };
    expect((await web.api('POST', `/rules/${made.id}/dry-run`, elsewhere)).body).toMatchObject({
      gains: 0,
      loses: 20,
      stay: 0,
    });
  });
});
