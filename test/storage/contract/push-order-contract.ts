import type { PushOrder, PushOrderStore } from '../../../src/fanout/push-order-store.ts';
import { eachPair, type Pair } from './pair.ts';

const at = Date.parse('2026-03-01T08:30:00.123Z');

const makeOrder = (fields: Partial<PushOrder> = {}): PushOrder => ({
  id: 'order-1',
  item: 'item-1',
  audience: { kind: 'condition', who: { not: { person: 'region', within: ['110000'] } } },
  channels: ['sms', 'email'],
  note: '请注意',
  by: 'li',
  at,
  failed: null,
  ...fields,
});

/** What every store of pushes that wait keeps. */
export const describePushOrderStore = (name: string, open: () => Promise<Pair<PushOrderStore>>): unknown =>
  describe(`push order store: ${name}`, () => {
    let store: PushOrderStore;
    let other: PushOrderStore;
    eachPair(open, (stores) => {
      [store, other] = stores;
    });

    it('keeps an order whole, and the first of two with one id', async () => {
      const people = makeOrder({
        id: 'order-2',
        audience: { kind: 'people', subscribers: ['a', 'b'] },
        channels: null,
      });
      expect(await store.insert(makeOrder())).toEqual(makeOrder());
      expect(await other.insert(makeOrder({ note: 'another' }))).toEqual(makeOrder());
      await store.insert(people);
      expect([await other.get('order-2'), await other.get('order-1')]).toEqual([people, makeOrder()]);
      expect(await store.get('unknown')).toBeNull();
    });

    it('answers what is due, the earliest first, without what failed', async () => {
      for (const [id, when] of [
        ['c', at + 1],
        ['b', at],
        ['a', at],
        ['d', at - 5],
      ] as const)
        await store.insert(makeOrder({ id, at: when }));
      await other.fail('d', 'wrong-state');
      await store.fail('unknown', 'wrong-state');
      expect((await store.due(at, 10)).map(({ id }) => id)).toEqual(['a', 'b']);
      expect((await store.due(at, 1)).map(({ id }) => id)).toEqual(['a']);
      expect((await store.list(3)).map(({ id, failed }) => [id, failed])).toEqual([
        ['d', 'wrong-state'],
        ['a', null],
        ['b', null],
      ]);
    });

    it('takes one away once', async () => {
      await store.insert(makeOrder());
      const taken = await Promise.all([store.remove('order-1'), other.remove('order-1')]);
      expect(taken.sort()).toEqual([false, true]);
      expect(await store.list(5)).toEqual([]);
    });
  });
