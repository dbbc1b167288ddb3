import { sqliteItemStore } from '../../src/storage/sqlite/item-store.ts';
import { openFile, openMemory } from '../helpers/open-sqlite.ts';
import { describeItemStore } from './contract/item-store-contract.ts';

describeItemStore(
  'SQLite',
  async () => {
    const db = await openMemory();
    return { store: sqliteItemStore(db), close: async () => db.close() };
  },
  async () => {
    const { handles, close } = await openFile(2);
    const [one, two] = handles.map(sqliteItemStore);
    if (!one || !two) throw new Error('two handles were asked for');
    return { stores: [one, two], close: async () => close() };
  },
);
