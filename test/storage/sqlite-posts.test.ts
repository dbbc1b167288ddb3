import { sqlitePostStore } from '../../src/storage/sqlite/post-store.ts';
import { openMemory, pairOnOneFile } from '../helpers/open-sqlite.ts';
import { describePostStore } from './contract/post-contract.ts';

describePostStore(
  'SQLite',
  async () => {
    const db = await openMemory();
    return { store: sqlitePostStore(db), close: async () => db.close() };
  },
  pairOnOneFile(sqlitePostStore),
);
