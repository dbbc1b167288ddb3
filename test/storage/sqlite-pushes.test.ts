import { sqlitePushStore } from '../../src/storage/sqlite/push-store.ts';
import { pairInMemory, pairOnOneFile } from '../helpers/open-sqlite.ts';
import { describePushStore } from './contract/push-store-contract.ts';

describePushStore('SQLite in memory', pairInMemory(sqlitePushStore));
describePushStore('SQLite, two handles on one file', pairOnOneFile(sqlitePushStore));
