import { sqliteItemStore } from '../../src/storage/sqlite/item-store.ts';
import { openMemory, pairOnOneFile } from '../helpers/open-sqlite.ts';
import { describeItemStore } from './contract/item-store-contract.ts';

describeItemStore(
  'SQLite',
  async () => {
    const db = await openMemory();
    return { store: sqliteItemStore(db), close: db.close };
  },
  pairOnOneFile(sqliteItemStore),
);
