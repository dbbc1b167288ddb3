import type { LedgerStore } from '../../fanout/ledger-store.ts';
import type { SqliteDatabase } from './database.ts';
import { ledgerCaps } from './ledger/caps.ts';
import { ledgerDeliveries } from './ledger/deliveries.ts';
import { ledgerNotices } from './ledger/notices.ts';
import { ledgerSending } from './ledger/sending.ts';
import { ledgerSweeps } from './ledger/sweeps.ts';
import { ledgerTables } from './ledger/tables.ts';

/** The ledger over SQLite. Pushes and items are integers inside; every verb is one write transaction, or several short ones. */
export const sqliteLedgerStore = (db: SqliteDatabase): LedgerStore => {
  const tables = ledgerTables(db);
  return {
    ...ledgerNotices(tables),
    ...ledgerDeliveries(tables),
    ...ledgerSending(tables),
    ...ledgerSweeps(tables),
    ...ledgerCaps(db),
  };
};
