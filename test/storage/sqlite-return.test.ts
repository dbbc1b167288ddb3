import { sqliteReturnStore } from '../../src/storage/sqlite/return-store.ts';
import { pairInMemory, pairOnOneFile } from '../helpers/open-sqlite.ts';
import { describeReturnStore } from './contract/return-contract.ts';

describeReturnStore('SQLite in memory', pairInMemory(sqliteReturnStore));
describeReturnStore('SQLite, two handles on one file', pairOnOneFile(sqliteReturnStore));
