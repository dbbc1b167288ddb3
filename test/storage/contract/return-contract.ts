import type { Returned, ReturnStore } from '../../../src/feedback/return-store.ts';
import { eachPair, type Pair } from './pair.ts';

const at = Date.parse('2026-03-01T08:30:00.123Z');

const makeReturned = (fields: Partial<Returned> = {}): Returned => ({
  id: 'r-1',
  lookup: 'look-up-1',
  kind: 'soft',
  reason: 'mailbox-full',
  status: '4.2.2',
  message: 'message-1',
  at,
  ...fields,
});

/** What every store of returned mail keeps; it runs over each storage. */
export const describeReturnStore = (name: string, open: () => Promise<Pair<ReturnStore>>): unknown =>
  describe(`return store: ${name}`, () => {
    let store: ReturnStore;
    let other: ReturnStore;
    eachPair(open, (stores) => {
      [store, other] = stores;
    });

    it('keeps what came back once, as it came first', async () => {
      expect(await store.record(makeReturned())).toBe(true);
      expect(await other.record(makeReturned({ kind: 'hard', at: at + 1 }))).toBe(false);
      expect(await other.ofLookup('look-up-1')).toEqual([makeReturned()]);
    });

    it('has one winner when the same is recorded at once', async () => {
      const done = await Promise.all(
        Array.from({ length: 10 }, (_, n) => (n % 2 ? store : other).record(makeReturned())),
      );
      expect(done.filter(Boolean)).toHaveLength(1);
    });

    it('counts one kind of one look-up since a moment, ends in', async () => {
      for (const [n, fields] of [
        {},
        { at: at + 1 },
        { kind: 'hard' as const },
        { lookup: 'other' },
        { at: at - 1 },
      ].entries())
        await store.record(makeReturned({ id: `r-${n}`, ...fields }));
      expect(await other.count('look-up-1', 'soft', at)).toBe(2);
      expect(await other.count('look-up-1', 'soft', at + 1)).toBe(1);
      expect(await other.count('unknown', 'soft', 0)).toBe(0);
      expect(await other.count("'; --", 'soft', 0)).toBe(0);
    });

    it('lists newest first, ties by id, null and text apart', async () => {
      const rows = [
        makeReturned({ id: 'b' }),
        makeReturned({ id: 'a' }),
        makeReturned({ id: 'c', at: at + 1, status: null, message: null, reason: '退订', kind: 'stop' }),
      ];
      for (const row of rows) await store.record(row);
      expect(await other.ofLookup('look-up-1')).toEqual([rows[2], rows[1], rows[0]]);
    });

    it('forgets a look-up, and what is old', async () => {
      await store.record(makeReturned({ id: 'a' }));
      await store.record(makeReturned({ id: 'b', lookup: 'x', at: at - 1 }));
      await store.record(makeReturned({ id: 'c', lookup: 'x' }));
      await store.forgetBefore(at);
      expect((await store.ofLookup('x')).map(({ id }) => id)).toEqual(['c']);
      await store.forget('x');
      await store.forget('x');
      expect(await store.ofLookup('x')).toEqual([]);
      expect(await other.ofLookup('look-up-1')).toHaveLength(1);
    });
  });
