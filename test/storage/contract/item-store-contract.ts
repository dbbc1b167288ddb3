import { type Item, type ItemContent, type ItemVersion, newItem } from '../../../src/publishing/item.ts';
import type { ItemFilter, ItemStore } from '../../../src/publishing/item-store.ts';
import { fullSize, type Pair, type Size } from './pair.ts';

type Opened = { store: ItemStore; close: () => Promise<void> };

const at = Date.UTC(2026, 0, 5, 9, 30, 15, 123);

const makeItem = (id: string, overrides: Partial<Item> = {}, content: Partial<ItemContent> = {}): Item => ({
  ...newItem(
    {
      id,
      externalId: null,
      writer: 'staff-1',
      content: {
        title: `Item ${id}`,
        summary: 'A summary',
        language: 'en',
        topics: ['services'],
        urgency: 'routine',
        visibility: 'public',
        ...content,
      },
    },
    at,
  ),
  ...overrides,
});

const makeVersion = (item: Item, overrides: Partial<ItemVersion> = {}): ItemVersion => ({
  item: item.id,
  version: item.version,
  revision: item.revision,
  kind: 'publication',
  content: item.content,
  note: null,
  at,
  announce: true,
  ...overrides,
});

const published = (item: Item, now = at + 1): Item => ({
  ...item,
  state: 'published',
  version: 1,
  publishedAt: now,
  updatedAt: now,
});

const allIds = async (store: ItemStore, filter: ItemFilter, limit = 50): Promise<string[]> => {
  const ids: string[] = [];
  for (let cursor: string | null = null; ; ) {
    const page: Awaited<ReturnType<ItemStore['list']>> = await store.list(filter, { cursor, limit });
    ids.push(...page.rows.map(({ id }) => id));
    cursor = page.next;
    if (cursor === null) return ids;
  }
};

/** What every item store keeps. `openTwo`, where given, opens two handles on one database. */
export const describeItemStore = (
  name: string,
  open: () => Promise<Opened>,
  openTwo?: () => Promise<Pair<ItemStore>>,
  size: Size = fullSize,
): unknown =>
  describe(`item store: ${name}`, () => {
    let store: ItemStore;
    let close: () => Promise<void>;
    beforeEach(async () => {
      ({ store, close } = await open());
    });
    afterEach(() => close());

    describeKeeping(() => store, size);
    describeWriting(() => store);
    describeListing(() => store, size);
    describeMark(() => store);
    if (openTwo) describeRaces(openTwo);
  });

const describeKeeping = (store: () => ItemStore, size: Size): unknown =>
  describe('keeps', () => {
    it('all of an item: ms dates, any script, null apart from absent', async () => {
      const item = makeItem(
        'a',
        {
          externalId: '/Ω/公告?x=1&y=“z”',
          aliases: ['alias/é', 'ALIAS'],
          state: 'scheduled',
          approvals: [{ department: null, staff: 'r', at }],
          rejection: 'nicht genug – “more”',
          scheduledFor: at + 7,
          pending: null,
          changeNote: '更正 🏠',
          importMark: '{"hash":"x"}',
        },
        { title: '住房补贴 “Ω” 🏠', regions: ['110000'], translations: { en: { title: 'Housing', summary: 'S' } } },
      );
      await store().insert(item);
      expect(await store().get({ id: 'a' })).toStrictEqual(item);
      expect(await store().get({ externalId: '/Ω/公告?x=1&y=“z”' })).toStrictEqual(item);
      expect(await store().get({ externalId: 'alias/é' })).toStrictEqual(item);
      const bare = makeItem('b');
      await store().insert(bare);
      expect(await store().get({ id: 'b' })).toStrictEqual(bare);
    });

    it('nothing for unknown and malformed ids', async () => {
      for (const id of ['nobody', '', "x' OR 1=1 --", '\u0000', '💥', 'x'.repeat(10_000)]) {
        expect(await store().get({ id })).toBeNull();
        expect(await store().get({ externalId: id })).toBeNull();
        expect(await store().version(id, 1)).toBeNull();
      }
      expect(await store().version('nobody', 0)).toBeNull();
      expect(await store().version('nobody', -1)).toBeNull();
    });

    it('one item for an id, an externalId or an alias', async () => {
      await store().insert(makeItem('a', { externalId: 'x', aliases: ['y'] }));
      const clash = { code: 'conflict' };
      await expect(store().insert(makeItem('a'))).rejects.toMatchObject(clash);
      await expect(store().insert(makeItem('b', { externalId: 'x' }))).rejects.toMatchObject(clash);
      await expect(store().insert(makeItem('b', { externalId: 'y' }))).rejects.toMatchObject(clash);
      await expect(store().insert(makeItem('b', { externalId: 'z', aliases: ['x'] }))).rejects.toMatchObject(clash);
      expect(await store().get({ id: 'b' })).toBeNull();
      expect(await store().get({ externalId: 'z' })).toBeNull();
      await store().insert(makeItem('b', { externalId: 'X' }));
      await store().insert(makeItem('c'));
      await store().insert(makeItem('d'));
    });

    it('heads of 40,000 items at once, unknown ones left out', async () => {
      await store().insert(makeItem('a'));
      await store().bring([{ was: null, item: published(makeItem('b')), versions: [] }]);
      expect(await store().heads([])).toEqual(new Map());
      const ids = Array.from({ length: size.many }, (_, n) => `unknown-${n}`);
      const heads = await store().heads([...ids, 'a', 'b', 'a']);
      expect(heads).toEqual(
        new Map([
          ['a', { state: 'draft', version: 0, revision: 0 }],
          ['b', { state: 'published', version: 1, revision: 0 }],
        ]),
      );
    });

    it('what is due, oldest first', async () => {
      const scheduled = (id: string, scheduledFor: number) => makeItem(id, { state: 'scheduled', scheduledFor });
      for (const item of [scheduled('c', at + 3), scheduled('a', at + 1), scheduled('b', at + 1)])
        await store().insert(item);
      await store().insert(makeItem('draft', { scheduledFor: at }));
      const due = async (now: number, limit = 9) => (await store().due(now, limit)).map(({ id }) => id);
      expect(await due(at)).toEqual([]);
      expect(await due(at + 1)).toEqual(['a', 'b']);
      expect(await due(at + 9)).toEqual(['a', 'b', 'c']);
      expect(await due(at + 9, 1)).toEqual(['a']);
    });
  });

const describeWriting = (store: () => ItemStore): unknown =>
  describe('writes', () => {
    it('the item and its version together, and only over what was read', async () => {
      const draft = makeItem('a', { externalId: 'x' });
      await store().insert(draft);
      const first = published(draft);
      expect(await store().replace(draft, first, makeVersion(first))).toBe(true);
      expect(await store().get({ externalId: 'x' })).toStrictEqual(first);
      expect(await store().version('a', 1)).toStrictEqual(makeVersion(first));
      for (const stale of [
        draft,
        { ...first, version: 0 },
        { ...first, revision: 1 },
        { ...first, updatedAt: at },
        { ...first, state: 'withdrawn' as const },
        { ...first, id: 'unknown' },
      ]) {
        const next = { ...first, id: stale.id, version: 2, changeNote: 'lost' };
        expect(await store().replace(stale, next, makeVersion(next))).toBe(false);
      }
      expect(await store().get({ id: 'a' })).toStrictEqual(first);
      expect(await store().version('a', 2)).toBeNull();
    });

    it('a revision over the row of its version', async () => {
      const first = published(makeItem('a'));
      await store().bring([{ was: null, item: first, versions: [makeVersion(first, { announce: false })] }]);
      const content = { ...first.content, title: 'Mended' };
      const revised = { ...first, content, revision: 1, updatedAt: at + 2 };
      const row = makeVersion(revised, { note: 'typo', announce: false });
      expect(await store().replace(first, revised, row)).toBe(true);
      expect(await store().version('a', 1)).toStrictEqual(row);
    });

    it('each change of an import or leaves it, and answers which', async () => {
      expect(await store().bring([])).toEqual([]);
      const old = makeItem('old', { externalId: 'old' });
      await store().insert(old);
      const newer = published(old);
      const fresh = published(makeItem('new', { externalId: 'new' }));
      const withdrawn: Item = { ...fresh, state: 'withdrawn', version: 2 };
      const changes = [
        { was: null, item: withdrawn, versions: [makeVersion(fresh), makeVersion(withdrawn, { kind: 'withdrawal' })] },
        { was: null, item: makeItem('clash', { externalId: 'old' }), versions: [] },
        { was: old, item: newer, versions: [makeVersion(newer)] },
        { was: old, item: { ...newer, changeNote: 'late' }, versions: [makeVersion(newer, { version: 2 })] },
      ];
      expect(await store().bring(changes)).toEqual([true, false, true, false]);
      expect(await store().version('new', 2)).toMatchObject({ kind: 'withdrawal' });
      expect(await store().get({ id: 'clash' })).toBeNull();
      expect(await store().get({ id: 'old' })).toStrictEqual(newer);
      expect(await store().version('old', 2)).toBeNull();
      expect(await store().bring(changes)).toEqual([false, false, false, false]);
    });

    it('names that an item gains, unless another item has them', async () => {
      const [one, two] = [makeItem('one', { externalId: '1' }), makeItem('two', { externalId: '2' })];
      await store().insert(one);
      await store().insert(two);
      const named = { ...one, aliases: ['1b'], updatedAt: at + 1 };
      expect(await store().replace(one, named)).toBe(true);
      expect(await store().get({ externalId: '1b' })).toStrictEqual(named);
      expect(await store().replace(two, { ...two, aliases: ['1b'], updatedAt: at + 1 })).toBe(false);
      expect(await store().get({ id: 'two' })).toStrictEqual(two);
    });

    it('which versions still wait for their push', async () => {
      const first = published(makeItem('a'));
      const quiet = published(makeItem('b'));
      await store().bring([
        { was: null, item: first, versions: [makeVersion(first)] },
        { was: null, item: quiet, versions: [makeVersion(quiet, { announce: false })] },
      ]);
      expect(await store().unannounced(10)).toEqual([makeVersion(first)]);
      await store().announced('a', 1);
      await store().announced('a', 1);
      await store().announced('nobody', 1);
      expect(await store().unannounced(10)).toEqual([]);
      expect(await store().version('a', 1)).toEqual(makeVersion(first, { announce: false }));
    });
  });

const describeListing = (store: () => ItemStore, size: Size): unknown =>
  describe('lists', () => {
    it('newest first, page by page over ties', async () => {
      const items = Array.from({ length: 25 }, (_, n) =>
        makeItem(`i${String(n).padStart(2, '0')}`, { updatedAt: at + Math.floor(n / 10) }),
      );
      await store().bring(items.map((item) => ({ was: null, item, versions: [] })));
      const expected = [...items]
        .sort((a, b) => b.updatedAt - a.updatedAt || (a.id < b.id ? 1 : -1))
        .map(({ id }) => id);
      for (const limit of [1, 3, 10, 25, 100]) expect(await allIds(store(), {}, limit)).toEqual(expected);
      expect((await store().list({}, { cursor: null, limit: 25 })).next).toBeNull();
    });

    it('an item that became public or changed its state before those that did not', async () => {
      const [one, two] = [makeItem('one'), makeItem('two', { updatedAt: at + 5 })];
      await store().insert(one);
      await store().insert(two);
      expect(await allIds(store(), {})).toEqual(['two', 'one']);
      const first = published(one, at + 10);
      await store().replace(one, first, makeVersion(first));
      expect(await allIds(store(), {})).toEqual(['one', 'two']);
      const second = published(two, at + 20);
      await store().replace(two, second, makeVersion(second));
      // a correction that waits for its review is nothing new for readers
      await store().replace(first, { ...first, updatedAt: at + 30, rejection: 'no' });
      expect(await allIds(store(), {})).toEqual(['two', 'one']);
    });

    it('by state, visibility, topic and what has been public', async () => {
      const brought = (item: Item) => ({ was: null, item, versions: [] });
      await store().bring([
        brought(makeItem('draft', {}, { topics: ['housing', 'services'] })),
        brought(published(makeItem('shown', {}, { topics: ['housing'] }))),
        brought(published(makeItem('secret', {}, { visibility: 'targeted', topics: [] }))),
        brought({ ...published(makeItem('back')), state: 'withdrawn', version: 2 }),
        brought(makeItem('never', { state: 'withdrawn' })),
      ]);
      const ids = async (filter: ItemFilter) => (await allIds(store(), filter)).sort();
      expect(await ids({ state: 'published' })).toEqual(['secret', 'shown']);
      expect(await ids({ visibility: 'public', published: true })).toEqual(['back', 'shown']);
      expect(await ids({ state: 'withdrawn', published: true })).toEqual(['back']);
      expect(await ids({ topics: ['housing'] })).toEqual(['draft', 'shown']);
      expect(await ids({ topics: ['housing', 'services'] })).toEqual(['back', 'draft', 'never', 'shown']);
      expect(await ids({ topics: [] })).toEqual([]);
      expect(await ids({ topics: ["x' OR 1=1"] })).toEqual([]);
      const many = Array.from({ length: size.many }, (_, n) => `topic-${n}`);
      expect(await ids({ topics: [...many, 'housing'] })).toEqual(['draft', 'shown']);
    });

    it('under the topics it has now', async () => {
      const one = makeItem('one', {}, { topics: ['housing'] });
      await store().insert(one);
      await store().replace(one, { ...one, content: { ...one.content, topics: ['roads'] }, updatedAt: at + 1 });
      expect(await allIds(store(), { topics: ['housing'] })).toEqual([]);
      expect(await allIds(store(), { topics: ['roads'] })).toEqual(['one']);
    });

    it('of a department, to the letter and as it is now', async () => {
      const one = makeItem('one', {}, { departments: ['住房局', 'Housing'] });
      await store().insert(one);
      await store().insert(makeItem('two', {}, { departments: ['Housing', 'Housing'] }));
      await store().insert(makeItem('three'));
      expect((await allIds(store(), { department: 'Housing' })).sort()).toEqual(['one', 'two']);
      expect(await allIds(store(), { department: '住房局' })).toEqual(['one']);
      expect(await allIds(store(), { department: 'housing' })).toEqual([]);
      await store().replace(one, { ...one, content: { ...one.content, departments: [] }, updatedAt: at + 1 });
      expect(await allIds(store(), { department: 'Housing' })).toEqual(['two']);
    });

    it('what holds the words, whatever their case, width or script', async () => {
      const insert = (id: string, content: Partial<ItemContent>) => store().insert(makeItem(id, {}, content));
      await insert('zh', { title: '住房保障补贴通知', summary: '2026年' });
      await insert('de', { title: 'Straßenbau', keywords: ['ΟΔΟΣ', '100% of_it'] });
      await insert('tr', { summary: 'x', translations: { fr: { title: 'Logement\u00a0social', summary: 'Écoles' } } });
      const found = (q: string) => allIds(store(), { q });
      expect(await found('保障补贴')).toEqual(['zh']);
      expect(await found('２０２６')).toEqual(['zh']);
      expect(await found('STRASSENBAU')).toEqual(['de']);
      expect(await found('οδος')).toEqual(['de']);
      expect(await found('οδοσ')).toEqual(['de']);
      expect(await found('100% OF_')).toEqual(['de']);
      expect(await found('100x')).toEqual([]);
      expect(await found('e\u0301coles')).toEqual(['tr']);
      expect(await found(' logement  social ')).toEqual(['tr']);
      expect(await found("'")).toEqual([]);
      expect((await found('   ')).sort()).toEqual(['de', 'tr', 'zh']);
    });

    it('the topics of what the public was shown since, newest first', async () => {
      const put = async (
        id: string,
        later: number,
        state: Item['state'],
        content: Partial<ItemContent>,
        version = 1,
      ) => {
        const item = makeItem(id, { updatedAt: at + later }, content);
        await store().insert(item);
        const next: Item = { ...item, state, version };
        await store().replace(item, next, makeVersion(next));
      };
      await put('old', 0, 'published', { topics: ['budgets'] });
      await put('first', 10, 'published', { topics: ['services', 'policies'] });
      await put('none', 11, 'published', { topics: [] });
      await put('secret', 12, 'published', { visibility: 'targeted' });
      await put('gone', 13, 'withdrawn', {});
      await put('unseen', 14, 'published', {}, 0);
      await put('last', 20, 'published', { topics: ['budgets'] });
      const found = (await store().topicsSince(at + 10, 10)).map((topics) => topics.sort());
      expect(found).toEqual([['budgets'], [], ['policies', 'services']]);
      expect(await store().topicsSince(at + 10, 1)).toEqual([['budgets']]);
      expect(await store().topicsSince(at + 21, 10)).toEqual([]);
    });

    it('nothing for a cursor that is none', async () => {
      for (const cursor of ['', 'x', 'bnVsbA', Buffer.from('["1",2]').toString('base64url')])
        await expect(store().list({}, { cursor, limit: 5 })).rejects.toMatchObject({ code: 'invalid' });
    });
  });

const describeMark = (store: () => ItemStore): unknown =>
  describe('marks what is public', () => {
    const put = async (was: Item, next: Item): Promise<string> => {
      await store().replace(was, next, makeVersion(next));
      return store().publicMark();
    };

    it('anew with each publication, correction and withdrawal, and with nothing else', async () => {
      const marks = [await store().publicMark()];
      const draft = makeItem('a');
      await store().insert(draft);
      await store().insert(makeItem('hidden', {}, { visibility: 'targeted' }));
      expect(await store().publicMark()).toBe(marks[0]);
      const first = { ...published(draft), updatedAt: at + 1 };
      marks.push(await put(draft, first));
      const minor = { ...first, revision: 1, updatedAt: at + 2 };
      marks.push(await put(first, minor));
      const waits = { ...minor, updatedAt: at + 3, rejection: 'no' };
      await store().replace(minor, waits);
      expect(await store().publicMark()).toBe(marks.at(-1));
      const major = { ...waits, version: 2, revision: 0, updatedAt: at + 4 };
      marks.push(await put(waits, major));
      marks.push(await put(major, { ...major, state: 'withdrawn', version: 3, updatedAt: at + 5 }));
      expect(new Set(marks).size).toBe(5);
      const hidden = makeItem('hidden', {}, { visibility: 'targeted' });
      expect(await put(hidden, { ...published(hidden), updatedAt: at + 6 })).toBe(marks.at(-1));
    });

    it('where one is written late that is not the newest', async () => {
      const bring = async (id: string, updatedAt: number) => {
        await store().bring([{ was: null, item: { ...published(makeItem(id)), updatedAt }, versions: [] }]);
        return store().publicMark();
      };
      const before = await bring('newer', at + 10);
      expect(await bring('late', at + 9)).not.toBe(before);
    });
  });

const describeRaces = (openTwo: () => Promise<Pair<ItemStore>>): unknown =>
  describe('between two handles', () => {
    it('lets one of two writers win, every time', async () => {
      const { stores, close } = await openTwo();
      const [one, two] = stores;
      let item = makeItem('a');
      await one.insert(item);
      for (let n = 1; n <= 50; n++) {
        const next = (by: string): Item => ({ ...item, version: n, updatedAt: at + n, changeNote: by });
        const won = await Promise.all([
          one.replace(item, next('one'), makeVersion(next('one'), { note: 'one' })),
          two.replace(item, next('two'), makeVersion(next('two'), { note: 'two' })),
        ]);
        expect([...won].sort()).toEqual([false, true]);
        const winner = won[0] ? 'one' : 'two';
        expect(await two.version('a', n)).toMatchObject({ note: winner });
        item = next(winner);
        expect(await one.get({ id: 'a' })).toStrictEqual(item);
      }
      await close();
    });

    it('lets one of two imports bring a new name', async () => {
      const { stores, close } = await openTwo();
      const changes = (by: string) =>
        Array.from({ length: 60 }, (_, n) => ({
          was: null,
          item: makeItem(`${by}-${n}`, { externalId: `x-${n}` }),
          versions: [],
        }));
      const [first, second] = await Promise.all([stores[0].bring(changes('a')), stores[1].bring(changes('b'))]);
      for (let n = 0; n < 60; n++) expect(first[n]).toBe(!second[n]);
      expect(await allIds(stores[0], {})).toHaveLength(60);
      await close();
    });
  });
