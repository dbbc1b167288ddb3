import { sqliteAccessStore } from '../../src/storage/sqlite/access-store.ts';
import { openFile, openMemory } from '../helpers/open-sqlite.ts';
import { describeAccessStore } from './contract/access-contract.ts';

describeAccessStore('SQLite in memory', async () => {
  const db = await openMemory();
  return { store: sqliteAccessStore(db), second: sqliteAccessStore(db), close: async () => db.close() };
});

describeAccessStore('SQLite, two handles on one file', async () => {
  const { handles, close } = await openFile(2);
  const [store, second] = handles.map(sqliteAccessStore);
  if (!store || !second) throw new Error('two handles were asked for');
  return { store, second, close: async () => close() };
});
