import { sqliteAddressStore } from '../../src/storage/sqlite/address-store.ts';
import type { SqliteDatabase } from '../../src/storage/sqlite/database.ts';
import { sqliteSubscriptionStore } from '../../src/storage/sqlite/subscription-store.ts';
import { pairInMemory, pairOnOneFile } from '../helpers/open-sqlite.ts';
import { describeImports } from './contract/import-contract.ts';
import { describeSubscriptionStore } from './contract/subscription-contract.ts';

const storesOver = (db: SqliteDatabase) => ({
  subscriptions: sqliteSubscriptionStore(db),
  addresses: sqliteAddressStore(db),
});

const inMemory = pairInMemory(storesOver);

describeSubscriptionStore('SQLite in memory', inMemory);
describeSubscriptionStore('SQLite, two handles on one file', pairOnOneFile(storesOver));
describeImports('SQLite in memory', inMemory);
