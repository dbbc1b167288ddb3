import { sqliteAccountStore } from '../../src/storage/sqlite/account-store.ts';
import { openMemory, pairOnOneFile } from '../helpers/open-sqlite.ts';
import { describeAccountStore } from './contract/account-contract.ts';

describeAccountStore(
  'SQLite',
  async () => {
    const db = await openMemory();
    return { store: sqliteAccountStore(db), close: async () => db.close() };
  },
  pairOnOneFile(sqliteAccountStore),
);
