import { sqliteTransactionalStore } from '../../src/storage/sqlite/transactional-store.ts';
import { openFile, openMemory } from '../helpers/open-sqlite.ts';
import { describeTransactionalStore } from './contract/transactional-contract.ts';

describeTransactionalStore(
  'SQLite',
  async () => {
    const db = await openMemory();
    return { store: sqliteTransactionalStore(db), close: async () => db.close() };
  },
  async () => {
    const { handles, close } = await openFile(2);
    const [one, two] = handles.map(sqliteTransactionalStore);
    if (!one || !two) throw new Error('two handles were asked for');
    return { stores: [one, two], close: async () => close() };
  },
);
