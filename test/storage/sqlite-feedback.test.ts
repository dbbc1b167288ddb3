import type { SqliteDatabase } from '../../src/storage/sqlite/database.ts';
import { sqliteFeedbackStore } from '../../src/storage/sqlite/feedback-store.ts';
import { sqliteSubscriptionStore } from '../../src/storage/sqlite/subscription-store.ts';
import { pairInMemory, pairOnOneFile } from '../helpers/open-sqlite.ts';
import { describeFeedbackStore } from './contract/feedback-contract.ts';

const storesOver = (db: SqliteDatabase) => ({
  feedback: sqliteFeedbackStore(db),
  subscriptions: sqliteSubscriptionStore(db),
});

describeFeedbackStore('SQLite in memory', pairInMemory(storesOver));
describeFeedbackStore('SQLite, two handles on one file', pairOnOneFile(storesOver));
