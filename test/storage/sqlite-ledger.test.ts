import type { SqliteDatabase } from '../../src/storage/sqlite/database.ts';
import { sqliteLedgerStore } from '../../src/storage/sqlite/ledger-store.ts';
import { sqlitePushStore } from '../../src/storage/sqlite/push-store.ts';
import { openFile, openMemory } from '../helpers/open-sqlite.ts';
import { describeLedgerStore } from './contract/ledger-store-contract.ts';
import { fullScale } from './contract/push-store-contract.ts';

const handleOn = (db: SqliteDatabase) => ({ pushes: sqlitePushStore(db), ledger: sqliteLedgerStore(db) });

describeLedgerStore('SQLite in memory', async () => {
  const db = await openMemory();
  return { handles: [handleOn(db), handleOn(db)], close: async () => db.close() };
});

// the large lists are tried in memory: here every chunk of them would wait for the disk
const scale = { ...fullScale, many: 5_000 };

describeLedgerStore(
  'SQLite, two handles on one file',
  async () => {
    const { handles, close } = await openFile(2);
    const [one, two] = handles.map(handleOn);
    if (!one || !two) throw new Error('two handles were asked for');
    return { handles: [one, two], close: async () => close() };
  },
  scale,
);
