import { sqliteAccessStore } from '../../src/storage/sqlite/access-store.ts';
import { pairInMemory, pairOnOneFile } from '../helpers/open-sqlite.ts';
import { describeAccessStore } from './contract/access-contract.ts';

describeAccessStore('SQLite in memory', pairInMemory(sqliteAccessStore));
describeAccessStore('SQLite, two handles on one file', pairOnOneFile(sqliteAccessStore));
