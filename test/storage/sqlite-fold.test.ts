import type { SqliteDatabase } from '../../src/storage/sqlite/database.ts';
import { sqliteFoldStore } from '../../src/storage/sqlite/fold-store.ts';
import { sqliteLedgerStore } from '../../src/storage/sqlite/ledger-store.ts';
import { sqlitePushStore } from '../../src/storage/sqlite/push-store.ts';
import { pairInMemory, pairOnOneFile } from '../helpers/open-sqlite.ts';
import { describeFoldStore } from './contract/fold-contract.ts';

const storesOver = (db: SqliteDatabase) => ({
  folds: sqliteFoldStore(db),
  ledger: sqliteLedgerStore(db),
  pushes: sqlitePushStore(db),
});

describeFoldStore('SQLite in memory', pairInMemory(storesOver));
describeFoldStore('SQLite, two handles on one file', pairOnOneFile(storesOver));
