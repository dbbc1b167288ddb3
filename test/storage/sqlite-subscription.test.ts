import { sqliteAddressStore } from '../../src/storage/sqlite/address-store.ts';
import type { SqliteDatabase } from '../../src/storage/sqlite/database.ts';
import { sqliteSubscriptionStore } from '../../src/storage/sqlite/subscription-store.ts';
import { openFile, openMemory } from '../helpers/open-sqlite.ts';
import { describeImports } from './contract/import-contract.ts';
import { describeSubscriptionStore, type OpenSubscriptions } from './contract/subscription-contract.ts';

const storesOver = (db: SqliteDatabase) => ({
  subscriptions: sqliteSubscriptionStore(db),
  addresses: sqliteAddressStore(db),
});

const inMemory: OpenSubscriptions = async () => {
  const db = await openMemory();
  const stores = storesOver(db);
  return { stores: [stores, stores], close: async () => db.close() };
};

const onOneFile: OpenSubscriptions = async () => {
  const { handles, close } = await openFile(2);
  const [one, two] = handles.map(storesOver);
  if (!one || !two) throw new Error('two handles were asked for');
  return { stores: [one, two], close: async () => close() };
};

describeSubscriptionStore('SQLite in memory', inMemory);
describeSubscriptionStore('SQLite, two handles on one file', onOneFile);
describeImports('SQLite in memory', inMemory);
