import type { AfterPoll, Source } from '../../../src/sources/source.ts';
import type { SourceStore } from '../../../src/sources/source-store.ts';
import { eachPair, type Pair } from './pair.ts';

const at = Date.parse('2026-03-01T08:30:00.123Z');
const lease = 1_000;

const makeSource = (fields: Partial<Source> = {}): Source => ({
  ...{ id: 'source-1', url: 'https://office.example.org/信息/atom.xml', topics: ['services'], departments: ['水务局'] },
  ...{ language: 'zh-CN', regions: ['110000'], everyMinutes: 30, publish: true, notify: false, addedBy: 'anna' },
  ...{ paused: false, etag: null, lastModified: null, polledAt: null, result: null, faults: 0, dueAt: at },
  createdAt: at,
  ...fields,
});
const numbered = (n: number, fields: Partial<Source> = {}): Source =>
  makeSource({ id: `source-${n}`, url: `https://office.example.org/${n}`, createdAt: at + n, ...fields });
const polled: AfterPoll = {
  ...{ paused: false, etag: '"a"', lastModified: 'Sun, 01 Mar 2026 08:00:00 GMT', polledAt: at + 5, faults: 0 },
  result: {
    ...{ kind: 'read', created: 2, updated: 1, unchanged: 0, failed: 1 },
    errors: [{ entry: 3, id: null, message: '坏' }],
  },
  dueAt: at + 60_000,
};

/** What every store of sources keeps; it runs over each storage. */
export const describeSourceStore = (name: string, open: () => Promise<Pair<SourceStore>>): unknown =>
  describe(`source store: ${name}`, () => {
    let store: SourceStore;
    let other: SourceStore;
    eachPair(open, (stores) => {
      [store, other] = stores;
    });

    it('keeps sources, oldest first, each once', async () => {
      expect(await store.list()).toEqual([]);
      expect(await store.insert(makeSource())).toBe(true);
      expect(await other.insert(numbered(2, { language: null, departments: [], regions: [] }))).toBe(true);
      expect(await other.insert(makeSource({ topics: ['policies'] }))).toBe(false);
      expect(await other.get('source-1')).toEqual(makeSource());
      expect((await other.list()).map(({ id }) => id)).toEqual(['source-1', 'source-2']);
      const both = await Promise.all([store.insert(numbered(3)), other.insert(numbered(3))]);
      expect(both.filter(Boolean)).toHaveLength(1);
    });

    it('knows nothing of unknown and malformed ids', async () => {
      const { url: _url, ...handling } = makeSource();
      for (const id of ['unknown', '', "'; --", '$ne', 'a\u0000b']) {
        expect(await store.get(id)).toBeNull();
        expect(await store.change(id, handling)).toBe(false);
        expect(await store.pause(id, true, at)).toBe(false);
        expect(await store.remove(id)).toBe(false);
        expect(await store.claim('t', { id }, at, lease)).toEqual([]);
        expect(await store.settle(id, 't', polled)).toBe(false);
      }
    });

    it('gives each due source to one of many who ask at once, longest due first', async () => {
      for (let n = 0; n < 20; n++) await store.insert(numbered(n, { dueAt: at - n }));
      await store.insert(numbered(30, { dueAt: at + 1 }));
      await store.insert(numbered(31, { paused: true }));
      const claims = await Promise.all(
        Array.from({ length: 8 }, (_, n) => (n % 2 ? store : other).claim(`t-${n}`, { limit: 3 }, at, lease)),
      );
      const ids = claims.flat().map(({ id }) => id);
      expect(new Set(ids).size).toBe(ids.length);
      for (const claim of claims) expect(claim.map(({ dueAt }) => dueAt)).toEqual(claim.map((one) => one.dueAt).sort());
      ids.push(...(await store.claim('rest', { limit: 50 }, at, lease)).map(({ id }) => id));
      expect(ids.sort()).toEqual(Array.from({ length: 20 }, (_, n) => `source-${n}`).sort());
      expect(await store.claim('none', { limit: 0 }, at + lease, lease)).toEqual([]);
    });

    it('takes a result from its holder alone; one by its id is leased though it is paused or not due', async () => {
      await store.insert(makeSource({ paused: true, dueAt: at + 1_000_000 }));
      expect(await store.claim('due', { limit: 5 }, at, lease)).toEqual([]);
      expect((await store.claim('one', { id: 'source-1' }, at, lease)).map(({ id }) => id)).toEqual(['source-1']);
      expect(await other.claim('two', { id: 'source-1' }, at + lease - 1, lease)).toEqual([]);
      expect(await other.claim('two', { id: 'source-1' }, at + lease, lease)).toHaveLength(1);
      expect(await store.settle('source-1', 'one', polled)).toBe(false);
      expect(await other.settle('source-1', 'two', { ...polled, paused: true })).toBe(true);
      expect(await other.settle('source-1', 'two', polled)).toBe(false);
      expect(await store.get('source-1')).toEqual(makeSource({ ...polled, paused: true }));
      expect(await store.claim('three', { id: 'source-1' }, at + lease, lease)).toHaveLength(1);
    });

    it('forgets by a change what the server said of its version, and who is polling by what was said before', async () => {
      await store.insert(makeSource());
      await store.claim('one', { limit: 1 }, at, lease);
      await store.settle('source-1', 'one', { ...polled, dueAt: at });
      await store.claim('two', { limit: 1 }, at, lease);
      const handling = {
        ...{ topics: ['policies'], departments: [], language: null, regions: [], everyMinutes: 5 },
        ...{ publish: false, notify: true },
      };
      expect(await other.change('source-1', handling)).toBe(true);
      expect(await store.settle('source-1', 'two', polled)).toBe(false);
      expect(await store.get('source-1')).toEqual(
        makeSource({ ...polled, ...handling, etag: null, lastModified: null, dueAt: at }),
      );
    });

    it('pauses, resumes and removes', async () => {
      await store.insert(makeSource());
      expect(await store.pause('source-1', true, at)).toBe(true);
      expect(await other.claim('one', { limit: 1 }, at + 10, lease)).toEqual([]);
      await other.pause('source-1', false, at + 20);
      expect(await other.claim('one', { limit: 1 }, at + 19, lease)).toEqual([]);
      expect(await other.claim('one', { limit: 1 }, at + 20, lease)).toHaveLength(1);
      expect(await store.remove('source-1')).toBe(true);
      expect(await other.settle('source-1', 'one', polled)).toBe(false);
      expect([await other.remove('source-1'), await other.list()]).toEqual([false, []]);
    });
  });
