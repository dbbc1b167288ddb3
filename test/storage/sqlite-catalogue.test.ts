import { sqliteCatalogueStore } from '../../src/storage/sqlite/catalogue-store.ts';
import { openMemory } from '../helpers/open-sqlite.ts';
import { describeCatalogueStore } from './contract/catalogue-contract.ts';

describeCatalogueStore('SQLite', async () => {
  const db = await openMemory();
  return { store: sqliteCatalogueStore(db), close: db.close };
});
