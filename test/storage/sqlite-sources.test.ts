import { sqliteSourceStore } from '../../src/storage/sqlite/source-store.ts';
import { pairInMemory, pairOnOneFile } from '../helpers/open-sqlite.ts';
import { describeSourceStore } from './contract/source-contract.ts';

describeSourceStore('SQLite in memory', pairInMemory(sqliteSourceStore));
describeSourceStore('SQLite, two handles on one file', pairOnOneFile(sqliteSourceStore));
