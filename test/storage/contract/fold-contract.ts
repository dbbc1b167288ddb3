import type { FoldStore } from '../../../src/fanout/fold-store.ts';
import type { LedgerStore } from '../../../src/fanout/ledger-store.ts';
import type { PushStore } from '../../../src/fanout/push-store.ts';
import {
  at,
  makeAttempt,
  makeBatch,
  makeDelivery,
  makeDeparture,
  makeOutcome,
  makePush,
} from '../../helpers/fanout-builders.ts';
import { eachPair, type Pair } from './pair.ts';

type Stores = { folds: FoldStore; ledger: LedgerStore; pushes: PushStore };

/** What every storage promises of folding. */
export const describeFoldStore = (name: string, open: () => Promise<Pair<Stores>>): unknown =>
  describe(`fold store: ${name}`, () => {
    let stores: Stores;
    let other: Stores;
    eachPair(open, ([one, two]) => {
      stores = one;
      other = two;
    });

    const lease = { batch: 'push-1:0', token: 'worker' };
    /** A push of three people: one sent, one withheld, one who waits. */
    const sentPush = async (): Promise<void> => {
      await stores.pushes.insert(makePush());
      await stores.pushes.insertBatches([makeBatch()]);
      await stores.pushes.claim(lease.token, ['at-once']);
      const rows = [1, 2, 3].map((ordinal) => makeDelivery({ ordinal, message: `m-${ordinal}` }));
      rows[1] = makeDelivery({ ordinal: 2, channel: null, state: 'withheld', code: 'no-address' });
      rows[2] = makeDelivery({ ordinal: 3, state: 'deferred', code: 'quiet-hours', dueAt: at + 1 });
      await stores.ledger.insertDeliveries(lease, rows);
      await stores.ledger.takeNotices(lease, 'push-1', [{ ...makeDeparture(1).notice, class: 'must' }], at);
      const departure = makeDeparture(1);
      await stores.ledger.depart(lease, [departure], at);
      const attempt = makeAttempt({ reference: 'ref-1' });
      await stores.ledger.settle(lease, [makeOutcome(departure, { attempt })]);
      await stores.pushes.close(lease.batch, lease.token);
    };
    const finished = async (id: string, createdAt: number): Promise<void> => {
      await stores.pushes.insert(makePush({ id, createdAt }));
      await stores.pushes.finish(id, 'running', createdAt + 1);
    };

    it('names what is over and old, page by page, and not what is folded', async () => {
      await finished('b', at + 2);
      await finished('a', at + 1);
      await finished('c', at + 3);
      await finished('young', at + 9);
      await stores.pushes.insert(makePush({ id: 'running', createdAt: at }));
      const first = await other.folds.candidates(at + 9, { cursor: null, limit: 2 });
      // SQLite and MongoDB both go by the time of making
      expect(first.rows.map(({ id }) => id)).toEqual(['a', 'b']);
      const rest = await other.folds.candidates(at + 9, { cursor: first.next, limit: 2 });
      expect([rest.rows.map(({ id }) => id), rest.next]).toEqual([['c'], null]);
      await stores.folds.begin('b');
      expect([await other.folds.isFolded('b'), await other.folds.isFolded('a')]).toEqual([true, false]);
      expect((await other.folds.candidates(at + 9, { cursor: null, limit: 9 })).rows).toHaveLength(3);
      expect(await stores.folds.end('b')).toBe(true);
      expect((await other.folds.candidates(at + 9, { cursor: null, limit: 9 })).rows.map(({ id }) => id)).toEqual([
        'a',
        'c',
      ]);
      expect(await stores.folds.end('no-such-push')).toBe(false);
      await stores.folds.begin('no-such-push');
      expect(await stores.folds.isFolded('no-such-push')).toBe(false);
    });

    it('drops settled rows alone, and only of a push whose folding was begun', async () => {
      await sentPush();
      expect(await stores.folds.dropRows('push-1', 10)).toBe(0);
      await stores.folds.begin('push-1');
      await stores.folds.begin('push-1');
      expect(await stores.folds.dropRows('push-1', 1)).toBe(1);
      expect(await other.folds.dropRows('push-1', 10)).toBe(1);
      expect(await stores.folds.dropRows('push-1', 10)).toBe(0);
      expect((await stores.ledger.deliveriesOf('push-1', [1, 2, 3])).map(({ ordinal }) => ordinal)).toEqual([3]);
      expect(await stores.folds.end('push-1')).toBe(false);
    });

    it('leaves messages what they were sent for, and who was told', async () => {
      await sentPush();
      const message = makeDeparture(1).message;
      expect(await stores.ledger.message(message)).not.toHaveProperty('kept');
      await stores.folds.begin('push-1');
      await stores.folds.dropRows('push-1', 10);
      expect(await other.ledger.message(message)).toMatchObject({
        ...{ push: 'push-1', ordinal: 1, channel: 'email', attempts: [] },
        kept: [{ push: 'push-1', reasons: [0] }],
      });
      expect(await stores.ledger.messageByReference('smtp-1', 'ref-1')).toBeNull();
      expect(await stores.ledger.toldOf('item-住房', 1)).toEqual([{ ordinal: 1, channel: 'email' }]);
    });

    it('keeps what is folded from being recounted', async () => {
      await sentPush();
      expect(await stores.pushes.dirty(10)).toHaveLength(1);
      await stores.folds.begin('push-1');
      expect(await other.pushes.dirty(10)).toEqual([]);
      await stores.pushes.soil('push-1');
      expect(await other.pushes.dirty(10)).toEqual([]);
    });
  });
