import { sqliteSignUpStore } from '../../src/storage/sqlite/sign-up-store.ts';
import { openFile, openMemory } from '../helpers/open-sqlite.ts';
import { describeSignUpStore } from './contract/sign-up-contract.ts';

describeSignUpStore('SQLite in memory', async () => {
  const db = await openMemory();
  const store = sqliteSignUpStore(db);
  return { stores: [store, store], close: async () => db.close() };
});

describeSignUpStore('SQLite, two handles on one file', async () => {
  const { handles, close } = await openFile(2);
  const [one, two] = handles.map(sqliteSignUpStore);
  if (!one || !two) throw new Error('two handles were asked for');
  return { stores: [one, two], close: async () => close() };
});
