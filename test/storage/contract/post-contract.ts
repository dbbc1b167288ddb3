import type { Post } from '../../../src/broadcasts/post.ts';
import type { PostStore } from '../../../src/broadcasts/post-store.ts';
import { eachPair, type Pair } from './pair.ts';

type Opened = { store: PostStore; close: () => Promise<void> };

const now = Date.parse('2026-03-02T08:00:00.123Z');
const leaseMs = 10_000;

const post = (fields: Partial<Post> = {}): Post => ({
  item: 'item-住房',
  version: 1,
  kind: 'publication',
  state: 'pending',
  attempts: 0,
  dueAt: now,
  giveUpAt: now + 600_123,
  reference: null,
  doubtSince: null,
  response: null,
  at: now,
  ...fields,
});
const taken = { state: 'sent', attempts: 1, dueAt: now, reference: '5034', doubtSince: null } as const;
const sent = { ...taken, response: '200 好' };
const names = (posts: Post[]): string[] => posts.map(({ item, version }) => `${item} ${version}`);

/** What every store of posts keeps. `openTwo` gives two handles on one store. */
export const describePostStore = (
  name: string,
  open: () => Promise<Opened>,
  openTwo: () => Promise<Pair<PostStore>>,
): unknown =>
  describe(`post store: ${name}`, () => {
    let store: PostStore;
    let close: () => Promise<void>;
    beforeEach(async () => {
      ({ store, close } = await open());
    });
    afterEach(() => close());

    it('gives nothing when it is empty', async () => {
      expect(await store.claim('a', now, leaseMs, 10)).toEqual([]);
      expect(await store.page({ cursor: null, limit: 10 })).toEqual({ rows: [], next: null });
    });

    it('keeps one post of a version, as it was put in', async () => {
      const first = post({ dueAt: now - 1, attempts: 2, response: '20019: 重复' });
      await store.enqueue(first);
      await store.enqueue(post({ state: 'sent' }));
      expect(await store.ofItem('item-住房')).toEqual([first]);
      expect(await store.claim('a', now, leaseMs, 10)).toEqual([first]);
    });

    it('gives what is due, earliest first, up to the limit, and what is leased to nobody else', async () => {
      await store.enqueue(post({ item: 'late', dueAt: now + 1 }));
      await store.enqueue(post({ item: 'a' }));
      await store.enqueue(post({ item: 'b' }));
      await store.enqueue(post({ item: 'first', dueAt: now - 5 }));
      expect(await store.claim('t', now, leaseMs, 0)).toEqual([]);
      expect(names(await store.claim('t', now, leaseMs, 2))).toEqual(['first 1', 'a 1']);
      expect(names(await store.claim('t', now + leaseMs - 1, leaseMs, 9))).toEqual(['b 1', 'late 1']);
      expect(names(await store.claim('u', now + leaseMs, leaseMs, 9))).toEqual(['first 1', 'a 1']);
    });

    it('settles for its holder alone', async () => {
      await store.enqueue(post());
      await store.claim('a', now, leaseMs, 1);
      await store.claim('b', now + leaseMs, leaseMs, 1);
      expect(await store.settle(post(), 'a', { ...sent, state: 'failed' })).toBe(false);
      expect(await store.settle(post(), 'b', sent)).toBe(true);
      expect(await store.settle(post(), 'b', sent)).toBe(false);
      expect(await store.settle(post({ item: 'unknown' }), 'b', sent)).toBe(false);
      expect(await store.ofItem('item-住房')).toEqual([post(sent)]);
      expect(await store.claim('c', now + 9 * leaseMs, leaseMs, 1)).toEqual([]);
    });

    it('supersedes what waits of earlier versions, but not what is under way', async () => {
      await store.enqueue(post({ version: 1 }));
      await store.claim('a', now, leaseMs, 1);
      await store.enqueue(post({ version: 2 }));
      await store.enqueue(post({ version: 3 }));
      await store.enqueue(post({ item: 'other' }));
      await store.supersede('item-住房', 3, now + 1);
      const states = async () => (await store.ofItem('item-住房')).map(({ state }) => state);
      expect(await states()).toEqual(['pending', 'superseded', 'pending']);
      await store.supersede('item-住房', 3, now + leaseMs);
      expect(await states()).toEqual(['superseded', 'superseded', 'pending']);
      expect((await store.ofItem('other'))[0]?.state).toBe('pending');
    });

    it('notes since when a post is in doubt, for its holder alone, and keeps the first doubt', async () => {
      await store.enqueue(post());
      await store.claim('a', now, leaseMs, 1);
      expect(await store.beginAsking(post(), 'b', now + 1)).toBe(false);
      expect(await store.beginAsking(post(), 'a', now + leaseMs)).toBe(false);
      expect(await store.ofItem('item-住房')).toEqual([post()]);
      expect(await store.beginAsking(post(), 'a', now + 1)).toBe(true);
      expect(await store.claim('b', now + leaseMs, leaseMs, 1)).toEqual([post({ doubtSince: now + 1 })]);
      expect(await store.beginAsking(post(), 'a', now + leaseMs + 1)).toBe(false);
      expect(await store.beginAsking(post(), 'b', now + leaseMs + 1)).toBe(true);
      await store.supersede('item-住房', 2, now + 9 * leaseMs);
      expect(await store.ofItem('item-住房')).toEqual([post({ doubtSince: now + 1 })]);
      await store.settle(post(), 'b', { ...sent, state: 'failed', doubtSince: now + 1 });
      expect((await store.ofItem('item-住房'))[0]).toMatchObject({ state: 'failed', doubtSince: now + 1 });
      await store.again(post(), now, now + 5);
      expect((await store.ofItem('item-住房'))[0]).toMatchObject({ state: 'pending', doubtSince: null });
    });

    it('knows the ids of its posts', async () => {
      await store.enqueue(post({ state: 'sent', reference: '5034' }));
      await store.enqueue(post({ item: 'other', state: 'sent' }));
      expect(await store.known(['5033', '5034'])).toEqual(new Set(['5034']));
      expect(await store.known([])).toEqual(new Set());
    });

    it('pages from the newest, over ties', async () => {
      const all = [
        post({ item: 'a' }),
        post({ item: 'b' }),
        post({ item: 'b', version: 2 }),
        post({ item: 'c', at: now + 1 }),
      ];
      for (const one of all) await store.enqueue(one);
      const first = await store.page({ cursor: null, limit: 3 });
      expect(names(first.rows)).toEqual(['c 1', 'b 2', 'b 1']);
      const last = await store.page({ cursor: first.next, limit: 3 });
      expect(names(last.rows)).toEqual(['a 1']);
      expect(last.next).toBeNull();
      await expect(store.page({ cursor: 'nonsense', limit: 3 })).rejects.toMatchObject({ code: 'invalid' });
    });

    it('makes a post due again that failed or was off, and no other', async () => {
      await store.enqueue(post({ item: 'off', state: 'off' }));
      expect(await store.again(post({ item: 'off' }), now + 99, now + 100)).toBe(true);
      await store.enqueue(post());
      expect(await store.again(post(), now, now + 5)).toBe(false);
      await store.claim('a', now, leaseMs, 1);
      await store.settle(post(), 'a', { ...sent, state: 'failed', attempts: 9 });
      expect(await store.again(post(), now + 3, now + 5)).toBe(true);
      expect(await store.claim('b', now + 3, leaseMs, 1)).toMatchObject([{ attempts: 0, giveUpAt: now + 5 }]);
    });

    it('switches posts of an item off and on', async () => {
      expect(await store.isOff('item-住房')).toBe(false);
      await store.switchItem('item-住房', false);
      await store.switchItem('item-住房', false);
      expect(await store.isOff('item-住房')).toBe(true);
      expect(await store.isOff('other')).toBe(false);
      await store.switchItem('item-住房', true);
      expect(await store.isOff('item-住房')).toBe(false);
    });

    describe('two handles at once', () => {
      let first: PostStore;
      let second: PostStore;
      eachPair(openTwo, (stores) => {
        [first, second] = stores;
      });

      it('never get one post', async () => {
        for (let version = 1; version <= 20; version++) await first.enqueue(post({ version }));
        const [a, b] = await Promise.all([first.claim('a', now, leaseMs, 20), second.claim('b', now, leaseMs, 20)]);
        const both = [...names(a), ...names(b)];
        expect(both.length).toBeGreaterThan(0);
        expect(new Set(both).size).toBe(both.length);
      });
    });
  });
