import { sqliteTuningStore } from '../../src/storage/sqlite/tuning-store.ts';
import { pairInMemory, pairOnOneFile } from '../helpers/open-sqlite.ts';
import { describeTuningStore } from './contract/tuning-contract.ts';

describeTuningStore('SQLite in memory', pairInMemory(sqliteTuningStore));
describeTuningStore('SQLite, two handles on one file', pairOnOneFile(sqliteTuningStore));
