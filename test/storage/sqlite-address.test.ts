import { sqliteAddressStore } from '../../src/storage/sqlite/address-store.ts';
import { openFile, openMemory } from '../helpers/open-sqlite.ts';
import { describeAddressStore } from './contract/address-contract.ts';

describeAddressStore('SQLite in memory', async () => {
  const db = await openMemory();
  const store = sqliteAddressStore(db);
  return { stores: [store, store], close: async () => db.close() };
});

describeAddressStore('SQLite, two handles on one file', async () => {
  const { handles, close } = await openFile(2);
  const [one, two] = handles.map(sqliteAddressStore);
  if (!one || !two) throw new Error('two handles were asked for');
  return { stores: [one, two], close: async () => close() };
});
