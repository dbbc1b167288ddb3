import { sqliteAddressStore } from '../../src/storage/sqlite/address-store.ts';
import { sqliteAudienceStore } from '../../src/storage/sqlite/audience-store.ts';
import { sqliteCatalogueStore } from '../../src/storage/sqlite/catalogue-store.ts';
import type { SqliteDatabase } from '../../src/storage/sqlite/database.ts';
import { sqliteProfileStore } from '../../src/storage/sqlite/profile-store.ts';
import { sqliteSubscriptionStore } from '../../src/storage/sqlite/subscription-store.ts';
import { pairInMemory, pairOnOneFile } from '../helpers/open-sqlite.ts';
import { describeAudienceStore } from './contract/audience-contract.ts';

const storesOver = (db: SqliteDatabase) => ({
  audience: sqliteAudienceStore(db),
  subscriptions: sqliteSubscriptionStore(db),
  addresses: sqliteAddressStore(db),
  profiles: sqliteProfileStore(db),
  catalogue: sqliteCatalogueStore(db),
});

describeAudienceStore('SQLite in memory', pairInMemory(storesOver));
describeAudienceStore('SQLite, two handles on one file', pairOnOneFile(storesOver));
