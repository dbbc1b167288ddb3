import type { mongo } from 'mongoose';
import type { LedgerStore } from '../../fanout/ledger-store.ts';
import { ledgerCaps } from './ledger/caps.ts';
import { ledgerDeliveries } from './ledger/deliveries.ts';
import { ledgerMessages } from './ledger/messages.ts';
import { ledgerNotices } from './ledger/notices.ts';
import { ledgerSending } from './ledger/sending.ts';
import { ledgerSweeps } from './ledger/sweeps.ts';
import { type LedgerEdges, ledgerTables } from './ledger/tables.ts';

/**
 * The ledger over MongoDB, with nothing but guarded writes of one document and bulk writes. The lease is checked before each
 * group of writes; the guards of the rows themselves (state and holder) are what keeps two holders apart.
 */
export const mongoLedgerStore = (db: mongo.Db, edges: LedgerEdges): LedgerStore => {
  const tables = ledgerTables(db, edges);
  return {
    ...ledgerNotices(tables),
    ...ledgerDeliveries(tables),
    ...ledgerSending(tables),
    ...ledgerMessages(tables),
    ...ledgerSweeps(tables),
    ...ledgerCaps(tables),
  };
};
