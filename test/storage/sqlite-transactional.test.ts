import { sqliteTransactionalStore } from '../../src/storage/sqlite/transactional-store.ts';
import { openMemory, pairOnOneFile } from '../helpers/open-sqlite.ts';
import { describeTransactionalStore } from './contract/transactional-contract.ts';

describeTransactionalStore(
  'SQLite',
  async () => {
    const db = await openMemory();
    return { store: sqliteTransactionalStore(db), close: db.close };
  },
  pairOnOneFile(sqliteTransactionalStore),
);
