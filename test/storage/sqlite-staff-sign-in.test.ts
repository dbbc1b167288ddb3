import { sqliteAccessStore } from '../../src/storage/sqlite/access-store.ts';
import { sqliteStaffSignInStore } from '../../src/storage/sqlite/staff-sign-in-store.ts';
import { openFile, openMemory } from '../helpers/open-sqlite.ts';
import { describeStaffSignInStore } from './contract/staff-sign-in-contract.ts';

describeStaffSignInStore('SQLite in memory', async () => {
  const db = await openMemory();
  const [store, second] = [sqliteStaffSignInStore(db), sqliteStaffSignInStore(db)];
  return { access: sqliteAccessStore(db), store, second, close: db.close };
});

describeStaffSignInStore('SQLite, two handles on one file', async () => {
  const { handles, close } = await openFile(2);
  const [one, two] = handles;
  if (!one || !two) throw new Error('two handles were asked for');
  const [store, second] = [sqliteStaffSignInStore(one), sqliteStaffSignInStore(two)];
  return { access: sqliteAccessStore(one), store, second, close: close };
});
