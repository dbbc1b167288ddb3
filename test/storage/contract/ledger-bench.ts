import type { LedgerStore } from '../../../src/fanout/ledger-store.ts';
import type { Push } from '../../../src/fanout/push.ts';
import type { PushStore } from '../../../src/fanout/push-store.ts';
import { makeBatch, makePush, range } from '../../helpers/fanout-builders.ts';
import { eachPair, type Pair } from './pair.ts';

export type LedgerHandle = { pushes: PushStore; ledger: LedgerStore };

export type OpenedLedger = Pair<LedgerHandle>;

/** What the tests of one part of the ledger stand on. Valid from `beforeEach` to `afterEach`. */
export type LedgerBench = {
  readonly one: LedgerHandle;
  readonly two: LedgerHandle;
  /** A push of people 1 … `people` in one claimed batch; answers the lease. */
  claimed(push?: Partial<Push>, people?: number): Promise<{ batch: string; token: string }>;
};

/** Opens two handles before each test of the surrounding `describe` and closes them after it. */
export const ledgerBench = (open: () => Promise<OpenedLedger>): LedgerBench => {
  let handles: OpenedLedger['stores'];
  let claims = 0;
  eachPair(open, (stores) => {
    handles = stores;
  });
  return {
    get one() {
      return handles[0];
    },
    get two() {
      return handles[1];
    },
    claimed: async (fields = {}, people = 10) => {
      const push = makePush(fields);
      const { pushes } = handles[0];
      await pushes.insert(push);
      const made = makeBatch({ push: push.id, lane: push.lane, ordinals: range(1, people) });
      await pushes.insertBatches([made]);
      claims += 1;
      const token = `token-${claims}`;
      const claim = await pushes.claim(token, [push.lane]);
      if (claim?.batch.id !== made.id) throw new Error(`expected to claim ${made.id}, got ${claim?.batch.id}`);
      return { batch: made.id, token };
    },
  };
};
