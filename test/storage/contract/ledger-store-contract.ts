import { describeCaps } from './caps-contract.ts';
import { describeDeliveries } from './deliveries-contract.ts';
import { describeDigests } from './digests-contract.ts';
import type { OpenedLedger } from './ledger-bench.ts';
import { describeNotices } from './notices-contract.ts';
import type { Scale } from './push-store-contract.ts';
import { describeSending } from './sending-contract.ts';
import { describeSweeps } from './sweeps-contract.ts';

/** What every ledger keeps. */
export const describeLedgerStore = (name: string, open: () => Promise<OpenedLedger>, scale?: Scale): void => {
  describeCaps(name, open);
  describeDigests(name, open);
  describeNotices(name, open, scale);
  describeDeliveries(name, open, scale);
  describeSending(name, open, scale);
  describeSweeps(name, open, scale);
};
