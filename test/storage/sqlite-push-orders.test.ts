import { sqlitePushOrderStore } from '../../src/storage/sqlite/push-order-store.ts';
import { pairInMemory, pairOnOneFile } from '../helpers/open-sqlite.ts';
import { describePushOrderStore } from './contract/push-order-contract.ts';

describePushOrderStore('SQLite in memory', pairInMemory(sqlitePushOrderStore));
describePushOrderStore('SQLite, two handles on one file', pairOnOneFile(sqlitePushOrderStore));
