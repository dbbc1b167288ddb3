import type { Address } from '../../../src/subscriptions/subscriber.ts';
import type { AddressStore } from '../../../src/subscriptions/subscription-store.ts';
import { eachPair, type Pair } from './pair.ts';

const at = Date.parse('2026-03-01T08:30:00.123Z');

const makeAddress = (fields: Partial<Address> = {}): Address => ({
  lookup: 'look-up-1',
  subscriber: 1,
  channel: 'email',
  sealed: 'v1.key.密封',
  verifiedAt: at,
  suppressed: null,
  ...fields,
});

/** What every address store keeps; it runs over each storage. */
export const describeAddressStore = (name: string, open: () => Promise<Pair<AddressStore>>): unknown =>
  describe(`address store: ${name}`, () => {
    let store: AddressStore;
    let other: AddressStore;
    eachPair(open, (stores) => {
      [store, other] = stores;
    });

    it('gives an address to one subscriber', async () => {
      expect(await store.claim(makeAddress())).toEqual({ outcome: 'added' });
      expect(await other.find('look-up-1')).toEqual(makeAddress());
    });

    it('refreshes seal and time when the owner claims again', async () => {
      await store.claim(makeAddress());
      const again = makeAddress({ sealed: 'v1.new.seal', verifiedAt: at + 1 });
      expect(await store.claim(again)).toEqual({ outcome: 'kept' });
      expect(await store.find('look-up-1')).toEqual(again);
    });

    it('never moves an address to somebody else', async () => {
      await store.claim(makeAddress());
      expect(await other.claim(makeAddress({ subscriber: 2, sealed: 'x' }))).toEqual({
        outcome: 'taken',
        subscriber: 1,
      });
      expect(await store.find('look-up-1')).toEqual(makeAddress());
    });

    it('has one winner when many claim at once', async () => {
      const claims = await Promise.all(
        Array.from({ length: 20 }, (_, n) => (n % 2 ? store : other).claim(makeAddress({ subscriber: n + 1 }))),
      );
      expect(claims.filter(({ outcome }) => outcome === 'added')).toHaveLength(1);
      const owner = (await store.find('look-up-1'))?.subscriber;
      const losers = claims.filter(({ outcome }) => outcome === 'taken');
      expect(losers).toHaveLength(19);
      expect(losers.every((claim) => 'subscriber' in claim && claim.subscriber === owner)).toBe(true);
    });

    it('knows nothing of unknown and malformed look-ups', async () => {
      for (const lookup of ['unknown', '', "'; --", '住房', '$ne', 'a\u0000b']) {
        expect(await store.find(lookup)).toBeNull();
        expect(await store.suppression(lookup)).toBeNull();
        expect(await store.remove(lookup, 1)).toBe(false);
        expect(await store.lift(lookup, 'bounced')).toBe(false);
      }
    });

    it('lists the addresses of people in the order they were verified, ties by look-up', async () => {
      await store.claim(makeAddress({ lookup: 'c', verifiedAt: at }));
      await store.claim(makeAddress({ lookup: 'b', verifiedAt: at, channel: 'sms' }));
      await store.claim(makeAddress({ lookup: 'a', verifiedAt: at + 1, channel: 'webPush', subscriber: 2 }));
      await store.claim(makeAddress({ lookup: 'z', verifiedAt: at - 1, subscriber: 3 }));
      expect((await store.ofSubscribers([2, 1, 1, 77])).map(({ lookup }) => lookup)).toEqual(['b', 'c', 'a']);
      expect(await store.ofSubscribers([])).toEqual([]);
    });

    it('answers for 40,000 people at once', async () => {
      await store.claim(makeAddress({ lookup: 'first', subscriber: 1 }));
      await store.claim(makeAddress({ lookup: 'last', subscriber: 40_000, verifiedAt: at - 5 }));
      const everybody = Array.from({ length: 40_000 }, (_, n) => n + 1);
      expect((await store.ofSubscribers(everybody)).map(({ lookup }) => lookup)).toEqual(['last', 'first']);
    });

    it('moves all addresses of one to another, and repeating it changes nothing', async () => {
      await store.claim(makeAddress({ lookup: 'a', subscriber: 5 }));
      await store.claim(makeAddress({ lookup: 'b', subscriber: 5 }));
      await store.claim(makeAddress({ lookup: 'c', subscriber: 6 }));
      await store.move(5, 4);
      await other.move(5, 4);
      expect((await store.ofSubscribers([4])).map(({ lookup }) => lookup)).toEqual(['a', 'b']);
      expect(await store.ofSubscribers([5])).toEqual([]);
      expect((await store.find('c'))?.subscriber).toBe(6);
    });

    it('suppresses once, with the first reason, and a new claim does not lift it', async () => {
      await store.claim(makeAddress());
      expect(await store.suppress('look-up-1', 'bounced', at)).toBe(true);
      expect(await other.suppress('look-up-1', 'complaint', at)).toBe(false);
      await store.claim(makeAddress());
      expect((await store.find('look-up-1'))?.suppressed).toBe('bounced');
      expect(await store.suppression('look-up-1')).toBe('bounced');
    });

    it('lets an erasure take over the reason, and nothing else after it', async () => {
      await store.claim(makeAddress());
      await store.suppress('look-up-1', 'hard-bounce', at);
      expect(await other.suppress('look-up-1', 'erased', at + 1)).toBe(true);
      expect(await store.suppress('look-up-1', 'erased', at + 2)).toBe(false);
      expect(await store.suppress('look-up-1', 'hard-bounce', at + 2)).toBe(false);
      expect((await store.find('look-up-1'))?.suppressed).toBe('erased');
      expect(await store.suppressedSince('look-up-1')).toBe(at);
    });

    it('keeps a suppression when the address goes, and before it comes', async () => {
      await store.claim(makeAddress());
      await store.suppress('look-up-1', 'bounced', at);
      expect(await store.remove('look-up-1', 1)).toBe(true);
      expect(await store.find('look-up-1')).toBeNull();
      expect(await store.suppression('look-up-1')).toBe('bounced');
      await store.claim(makeAddress({ subscriber: 9 }));
      expect((await store.find('look-up-1'))?.suppressed).toBe('bounced');
      expect(await store.suppress('never-seen', 'complaint', at)).toBe(true);
      expect((await store.claim(makeAddress({ lookup: 'never-seen' }))).outcome).toBe('added');
      expect((await store.ofSubscribers([1]))[0]?.suppressed).toBe('complaint');
    });

    it('lifts a suppression only for its own reason', async () => {
      await store.claim(makeAddress());
      await store.suppress('look-up-1', 'erased', at);
      expect(await store.lift('look-up-1', 'bounced')).toBe(false);
      expect(await store.lift('look-up-1', 'erased')).toBe(true);
      expect(await store.lift('look-up-1', 'erased')).toBe(false);
      expect((await store.find('look-up-1'))?.suppressed).toBeNull();
    });

    it('suppresses and frees a reply address together with the plain one, but for what was erased', async () => {
      const suppressed = async () => [
        (await other.find('reply'))?.suppressed,
        (await other.ofSubscribers([7]))[0]?.suppressed,
        (await other.find('look-up-1'))?.suppressed,
      ];
      await store.claim(makeAddress());
      expect(await store.claim({ ...makeAddress({ lookup: 'reply', subscriber: 7 }), plain: 'look-up-1' })).toEqual({
        outcome: 'added',
      });
      expect(await store.find('reply')).toEqual(makeAddress({ lookup: 'reply', subscriber: 7 }));
      for (const [first, second] of [
        ['look-up-1', 'reply'],
        ['reply', 'look-up-1'],
      ] as const) {
        expect(await store.suppress(first, 'bounced', at)).toBe(true);
        expect(await other.suppress(second, 'complaint', at)).toBe(false);
        expect(await suppressed()).toEqual(['bounced', 'bounced', 'bounced']);
        expect([await store.suppression(second), await store.suppressedSince(second)]).toEqual(['bounced', at]);
        expect(await other.lift(second, 'bounced')).toBe(true);
        expect(await suppressed()).toEqual([null, null, null]);
      }
      await store.suppress('look-up-1', 'erased', at);
      expect(await suppressed()).toEqual([null, null, 'erased']);
    });

    it('removes an address only for its owner', async () => {
      await store.claim(makeAddress());
      expect(await store.remove('look-up-1', 2)).toBe(false);
      expect(await store.remove('look-up-1', 1)).toBe(true);
      expect(await store.remove('look-up-1', 1)).toBe(false);
      expect((await other.claim(makeAddress({ subscriber: 2 }))).outcome).toBe('added');
    });

    it('lists what is suppressed, newest first, of one reason or all, page by page over ties', async () => {
      for (const [lookup, reason, when] of [
        ['a', 'hard-bounce', at],
        ['b', 'complaint', at + 1],
        ['c', 'hard-bounce', at],
        ['d', 'hard-bounce', at + 2],
      ] as const)
        await store.suppress(lookup, reason, when);
      await store.suppress('a', 'complaint', at + 9);
      const all = await other.suppressions(null, { cursor: null, limit: 10 });
      expect(all.rows.map(({ lookup }) => lookup)).toEqual(['d', 'b', 'a', 'c']);
      expect(all.rows[2]).toEqual({ lookup: 'a', reason: 'hard-bounce', at });
      expect(all.next).toBeNull();
      expect([await other.suppressedSince('b'), await other.suppressedSince('x')]).toEqual([at + 1, null]);
      const first = await store.suppressions('hard-bounce', { cursor: null, limit: 2 });
      expect(first.rows.map(({ lookup }) => lookup)).toEqual(['d', 'a']);
      const second = await store.suppressions('hard-bounce', { cursor: first.next, limit: 2 });
      expect([second.rows.map(({ lookup }) => lookup), second.next]).toEqual([['c'], null]);
      await expect(store.suppressions(null, { cursor: 'x', limit: 2 })).rejects.toMatchObject({ code: 'invalid' });
    });
  });
