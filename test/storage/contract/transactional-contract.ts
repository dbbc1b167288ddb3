import type { TransactionalMessage, TransactionalStore } from '../../../src/channels/courier.ts';
import type { Pair } from './pair.ts';

type Opened = { store: TransactionalStore; close: () => Promise<void> };

const now = Date.parse('2026-03-02T08:00:00.123Z');
const leaseMs = 10_000;

const message = (id: string, overrides: Partial<TransactionalMessage> = {}): TransactionalMessage => ({
  id,
  channel: 'email',
  sealed: 'v1.abc.密封的内容',
  attempts: 0,
  dueAt: now,
  expiresAt: now + 600_123,
  ...overrides,
});

const ids = (messages: TransactionalMessage[]): string[] => messages.map((one) => one.id);

/** What every store of transactional messages keeps. `openTwo` gives two handles on one store. */
export const describeTransactionalStore = (
  name: string,
  open: () => Promise<Opened>,
  openTwo: () => Promise<Pair<TransactionalStore>>,
): unknown =>
  describe(`transactional store: ${name}`, () => {
    let store: TransactionalStore;
    let close: () => Promise<void>;
    beforeEach(async () => {
      ({ store, close } = await open());
    });
    afterEach(() => close());

    it('gives nothing when it is empty', async () => {
      expect(await store.claim('a', now, leaseMs, 10)).toEqual([]);
    });

    it('gives a message back as it was put in, to the millisecond and the character', async () => {
      await store.enqueue(message('m1', { channel: 'webPush', attempts: 2, dueAt: now - 1 }));
      expect(await store.claim('a', now, leaseMs, 10)).toEqual([
        message('m1', { channel: 'webPush', attempts: 2, dueAt: now - 1 }),
      ]);
    });

    it('leaves an id that is there as it is', async () => {
      await store.enqueue(message('m1'));
      await store.enqueue(message('m1', { sealed: 'other', dueAt: now + 5_000 }));
      expect(await store.claim('a', now, leaseMs, 10)).toEqual([message('m1')]);
    });

    it('gives what is due, earliest first, up to the limit', async () => {
      await store.enqueue(message('late', { dueAt: now + 1 }));
      await store.enqueue(message('b', { dueAt: now }));
      await store.enqueue(message('a', { dueAt: now }));
      await store.enqueue(message('first', { dueAt: now - 5 }));
      expect(ids(await store.claim('t', now, leaseMs, 2))).toEqual(['first', 'a']);
      expect(ids(await store.claim('t', now, leaseMs, 9))).toEqual(['b']);
      expect(ids(await store.claim('t', now + 1, leaseMs, 9))).toEqual(['late']);
    });

    it('gives expired ones too, so that they can be given up', async () => {
      await store.enqueue(message('m1', { expiresAt: now - 1 }));
      expect(ids(await store.claim('a', now, leaseMs, 10))).toEqual(['m1']);
    });

    it('does not give a leased one again until the lease has run out', async () => {
      await store.enqueue(message('m1'));
      await store.claim('a', now, leaseMs, 10);
      expect(await store.claim('b', now + leaseMs - 1, leaseMs, 10)).toEqual([]);
      expect(ids(await store.claim('b', now + leaseMs, leaseMs, 10))).toEqual(['m1']);
    });

    it('ends what its holder settles', async () => {
      await store.enqueue(message('m1'));
      await store.claim('a', now, leaseMs, 10);
      await store.settle('m1', 'a', null);
      expect(await store.claim('b', now + 10 * leaseMs, leaseMs, 10)).toEqual([]);
    });

    it('puts off what its holder puts off, and lets go of the lease', async () => {
      await store.enqueue(message('m1'));
      await store.claim('a', now, leaseMs, 10);
      await store.settle('m1', 'a', { dueAt: now + 2_000, attempts: 1 });
      expect(await store.claim('b', now + 1_999, leaseMs, 10)).toEqual([]);
      expect(await store.claim('b', now + 2_000, leaseMs, 10)).toEqual([
        message('m1', { dueAt: now + 2_000, attempts: 1 }),
      ]);
    });

    it.each([null, { dueAt: now + 60_000, attempts: 9 }])('a stale token changes nothing (%j)', async (next) => {
      await store.enqueue(message('m1'));
      await store.claim('a', now, leaseMs, 10);
      await store.claim('b', now + leaseMs, leaseMs, 10);
      await store.settle('m1', 'a', next);
      await store.settle('m1', 'b', { dueAt: now, attempts: 1 });
      expect(await store.claim('c', now, leaseMs, 10)).toEqual([message('m1', { attempts: 1 })]);
    });

    it('ignores settling what nobody knows', async () => {
      await store.settle('unknown', 'a', null);
      await store.settle("'; DROP TABLE --", 'a', { dueAt: now, attempts: 1 });
      expect(await store.claim('a', now, leaseMs, 10)).toEqual([]);
    });

    it('two handles at once never get the same message, and miss none', async () => {
      const { stores, close: closeTwo } = await openTwo();
      for (let n = 0; n < 60; n += 1) await stores[n % 2 === 0 ? 0 : 1].enqueue(message(`m${n}`));
      const got = new Map<string, string[]>([
        ['one', []],
        ['two', []],
      ]);
      const drain = async (token: string, from: TransactionalStore) => {
        for (;;) {
          const claimed = await from.claim(token, now, leaseMs, 3);
          if (claimed.length === 0) return;
          got.get(token)?.push(...ids(claimed));
          await Promise.all(claimed.map((one) => from.settle(one.id, token, null)));
        }
      };
      await Promise.all([drain('one', stores[0]), drain('two', stores[1])]);
      const all = [...(got.get('one') ?? []), ...(got.get('two') ?? [])];
      expect(all).toHaveLength(60);
      expect(new Set(all).size).toBe(60);
      await closeTwo();
    });
  });
