import { sqliteAccountStore } from '../../src/storage/sqlite/account-store.ts';
import { openMemory, pairOnOneFile } from '../helpers/open-sqlite.ts';
import { describeAccessToken } from './contract/access-token-contract.ts';
import { describeAccountStore } from './contract/account-contract.ts';

describeAccountStore(
  'SQLite',
  async () => {
    const db = await openMemory();
    return { store: sqliteAccountStore(db), close: async () => db.close() };
  },
  pairOnOneFile(sqliteAccountStore),
);
describeAccessToken('SQLite, two handles on one file', pairOnOneFile(sqliteAccountStore));
