import { sqlitePushStore } from '../../src/storage/sqlite/push-store.ts';
import { openFile, openMemory } from '../helpers/open-sqlite.ts';
import { describePushStore } from './contract/push-store-contract.ts';

describePushStore('SQLite in memory', async () => {
  const db = await openMemory();
  const store = sqlitePushStore(db);
  return { handles: [store, store], close: async () => db.close() };
});

describePushStore('SQLite, two handles on one file', async () => {
  const { handles, close } = await openFile(2);
  const [one, two] = handles.map(sqlitePushStore);
  if (!one || !two) throw new Error('two handles were asked for');
  return { handles: [one, two], close: async () => close() };
});
