import type { SqliteDatabase } from '../../src/storage/sqlite/database.ts';
import { sqliteLedgerStore } from '../../src/storage/sqlite/ledger-store.ts';
import { sqlitePushStore } from '../../src/storage/sqlite/push-store.ts';
import { pairInMemory, pairOnOneFile } from '../helpers/open-sqlite.ts';
import { describeLedgerStore } from './contract/ledger-store-contract.ts';
import { fullScale } from './contract/push-store-contract.ts';

const handleOn = (db: SqliteDatabase) => ({ pushes: sqlitePushStore(db), ledger: sqliteLedgerStore(db) });

describeLedgerStore('SQLite in memory', pairInMemory(handleOn));

// the large lists are tried in memory: here every chunk of them would wait for the disk
describeLedgerStore('SQLite, two handles on one file', pairOnOneFile(handleOn), { ...fullScale, many: 5_000 });
