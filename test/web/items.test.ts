import { startWeb, type Web } from '../helpers/web.ts';

type Item = Record<string, unknown> & { id: string; state: string; version: number };
const draft = { title: 'Bus 12', summary: 'Diverted', language: 'en', topics: ['services'] };

describe('items over the API', () => {
  let web: Web;
  beforeEach(async () => {
    web = await startWeb();
  });
  afterEach(() => web.close());

  const create = async (fields: object = {}): Promise<Item> =>
    (await web.api('POST', '/items', { ...draft, ...fields })).body as Item;
  const act = (id: string, action: string, body: object = {}) => web.api('POST', `/items/${id}/${action}`, body);
  const list = async (query = '', key?: string | null): Promise<Item[]> =>
    (await web.api('GET', `/items${query}`, undefined, key)).body.items as Item[];

  it('makes a draft that only keys of scope publish see', async () => {
    const made = await web.api('POST', '/items', {
      ...draft,
      externalId: 'e-1',
      department: 'transport',
      deadline: '2026-07-01T00:00:00+08:00',
    });
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({
      ...draft,
      externalId: 'e-1',
      departments: ['transport'],
      deadline: '2026-07-01T00:00:00+08:00',
      state: 'draft',
      version: 0,
      revision: 0,
      pending: null,
      url: null,
      urgency: 'routine',
      visibility: 'public',
    });
    const id = String(made.body.id);
    expect((await web.api('GET', `/items/${id}`)).body).toEqual(made.body);
    expect((await web.api('GET', `/items/${id}`, undefined, null)).status).toBe(404);
    expect((await web.api('GET', `/items/${id}`, undefined, await web.keyFor(['analyse']))).status).toBe(404);
    expect(await list('', null)).toEqual([]);
    expect(await list('?state=draft', null)).toEqual([]);
    expect(await list('?state=draft')).toHaveLength(1);
    const twice = await web.api('POST', '/items', { ...draft, externalId: 'e-1' });
    expect([twice.status, twice.body.code]).toEqual([409, 'conflict']);
  });

  it('publishes with a push, and again with the same push', async () => {
    const { id } = await create();
    const first = await act(id, 'publish');
    expect(first.status).toBe(202);
    expect(first.body).toMatchObject({
      item: { id, state: 'published', version: 1 },
      push: { id: expect.any(String) },
    });
    expect((await act(id, 'publish')).body.push).toEqual(first.body.push);
    const seen = (await web.api('GET', `/items/${id}`, undefined, null)).body;
    expect(seen).toMatchObject({ state: 'published', version: 1, page: `http://localhost:3000/items/${id}` });
    for (const inside of ['writer', 'approvals', 'rejection', 'scheduledFor']) expect(seen).not.toHaveProperty(inside);
  });

  it('keeps what a correction does not name', async () => {
    const { id } = await create({ urgency: 'important', regions: ['110000'] });
    await act(id, 'publish');
    const minor = await act(id, 'correct', { change: 'minor', note: 'A slip', title: 'Bus 12a' });
    expect(minor.status).toBe(202);
    expect(minor.body).toMatchObject({
      item: { title: 'Bus 12a', urgency: 'important', regions: ['110000'], version: 1, revision: 1 },
      push: null,
    });
    const major = await act(id, 'correct', { change: 'major', note: 'Another day', summary: 'From Tuesday' });
    expect(major.body).toMatchObject({
      item: { version: 2, revision: 0, urgency: 'important', changeNote: 'Another day' },
      push: { id: expect.any(String) },
    });
    expect((await act(id, 'correct', { change: 'major', note: '' })).status).toBe(400);
    expect((await act(id, 'correct', { change: 'minor', note: 'x', externalId: 'e' })).status).toBe(400);
  });

  it('withdraws, and shows the withdrawn item still', async () => {
    const { id } = await create();
    await act(id, 'publish');
    const gone = await act(id, 'withdraw', { note: 'Wrong office', notify: false });
    expect([gone.status, gone.body.push]).toEqual([202, null]);
    expect((await web.api('GET', `/items/${id}`, undefined, null)).body).toMatchObject({
      state: 'withdrawn',
      changeNote: 'Wrong office',
    });
    expect((await act(id, 'publish')).status).toBe(409);
    expect(await list('?state=withdrawn', null)).toHaveLength(1);
  });

  it('hides targeted items from everybody without the key', async () => {
    const { id } = await create({ visibility: 'targeted' });
    await act(id, 'publish');
    expect((await web.api('GET', `/items/${id}`, undefined, null)).status).toBe(404);
    expect(await list('', null)).toEqual([]);
    expect(await list()).toHaveLength(1);
  });

  it('lists by topic with its descendants, by words, and page by page without loss', async () => {
    await web.api('POST', '/topics', { slug: 'buses', title: { en: 'Buses', 'zh-CN': '公交' }, parent: 'services' });
    for (let n = 0; n < 7; n += 1) await act((await create({ title: `Line ${n}`, topics: ['buses'] })).id, 'publish');
    await act((await create({ title: '财政预算', topics: ['budgets'] })).id, 'publish');
    expect(await list('?topic=services', null)).toHaveLength(7);
    expect(await list('?topic=budgets&q=%E9%A2%84%E7%AE%97', null)).toHaveLength(1);
    expect(await list('?topic=unknown', null)).toEqual([]);
    const seen: string[] = [];
    let next: unknown = '';
    while (next !== null) {
      const { body } = await web.api('GET', `/items?limit=3${next ? `&cursor=${next}` : ''}`, undefined, null);
      seen.push(...(body.items as Item[]).map((item) => item.id));
      next = body.next;
    }
    expect([seen.length, new Set(seen).size]).toEqual([8, 8]);
  });

  it('goes through review where it is on, and never by the writer', async () => {
    const strict = await startWeb({ env: { REVIEW: 'on' } });
    const account = async (name: string, roles: string[], departments: string[] = []) => {
      const staff = await strict.api('POST', '/staff', { email: `${name}@example.org`, name, roles, departments });
      const made = await strict.api('POST', '/keys', { staff: staff.body.id, scopes: ['publish'] });
      return String(made.body.key);
    };
    const [writer, reviewer] = [
      await account('wang', ['publisher', 'reviewer'], ['housing']),
      await account('li', ['reviewer'], ['housing']),
    ];
    const { id } = (await strict.api('POST', '/items', { ...draft, departments: ['housing'] }, writer)).body;
    const step = async (action: string, body: object, key: string) => {
      const { status, body: answer } = await strict.api('POST', `/items/${id}/${action}`, body, key);
      return [status, answer.code ?? answer.state ?? (answer.item as Item).state];
    };
    expect(await step('publish', {}, writer)).toEqual([409, 'wrong-state']);
    expect(await step('submit', {}, writer)).toEqual([200, 'in-review']);
    expect(await step('approve', { as: 'housing' }, writer)).toEqual([403, 'own-work']);
    expect(await step('reject', { reason: 'Say when' }, reviewer)).toEqual([200, 'draft']);
    const revised = await strict.api('PATCH', `/items/${id}`, { summary: 'From Monday' }, writer);
    expect(revised.body).toMatchObject({ summary: 'From Monday', title: 'Bus 12', rejection: 'Say when' });
    expect(await step('submit', {}, writer)).toEqual([200, 'in-review']);
    expect(await step('approve', { as: 'taxes' }, reviewer)).toEqual([400, 'invalid']);
    expect(await step('approve', { as: 'housing' }, reviewer)).toEqual([200, 'approved']);
    expect(await step('schedule', { at: '2026-06-11T09:00:00+08:00' }, writer)).toEqual([200, 'scheduled']);
    expect((await strict.api('GET', `/items/${id}`, undefined, writer)).body.scheduledFor).toBe(
      '2026-06-11T01:00:00.000Z',
    );
    expect(await step('publish', {}, writer)).toEqual([202, 'published']);
    await strict.close();
  });

  it('imports, and says unchanged the second time', async () => {
    const content = `<rss version="2.0"><channel><title>t</title><link>https://x.example</link><description>d</description>
      <item><guid>g1</guid><title>One</title><link>https://x.example/1</link></item></channel></rss>`;
    const wanted = { format: 'rss', content, topics: ['policies'], publish: true };
    const first = await web.api('POST', '/items/import', wanted);
    expect([first.status, first.body]).toEqual([200, { created: 1, updated: 0, unchanged: 0, failed: 0, errors: [] }]);
    expect((await web.api('POST', '/items/import', wanted)).body).toMatchObject({ created: 0, unchanged: 1 });
    expect((await web.api('POST', '/items/import', { format: 'pdf', content: '' })).status).toBe(400);
  });
});
