import { sqliteFeedStore } from '../../src/storage/sqlite/feed-store.ts';
import { pairInMemory, pairOnOneFile } from '../helpers/open-sqlite.ts';
import { describeFeedStore } from './contract/feed-contract.ts';

describeFeedStore('SQLite in memory', pairInMemory(sqliteFeedStore));
describeFeedStore('SQLite, two handles on one file', pairOnOneFile(sqliteFeedStore));
