import { sqliteStorage } from '../../src/storage/sqlite/sqlite-storage.ts';
import { pairOnOneFile } from '../helpers/open-sqlite.ts';
import { describeQueueStore } from './contract/queue-contract.ts';

describeQueueStore('SQLite', pairOnOneFile(sqliteStorage));
