import type { SqliteDatabase } from '../../src/storage/sqlite/database.ts';
import { sqliteFeedbackStore } from '../../src/storage/sqlite/feedback-store.ts';
import { sqliteProfileStore } from '../../src/storage/sqlite/profile-store.ts';
import { sqlitePushStore } from '../../src/storage/sqlite/push-store.ts';
import { sqliteReportStore } from '../../src/storage/sqlite/report-store.ts';
import { sqliteSubscriptionStore } from '../../src/storage/sqlite/subscription-store.ts';
import { pairInMemory, pairOnOneFile } from '../helpers/open-sqlite.ts';
import { describeReportStore } from './contract/report-contract.ts';

const storesOver = (db: SqliteDatabase) => ({
  reports: sqliteReportStore(db),
  pushes: sqlitePushStore(db),
  subscriptions: sqliteSubscriptionStore(db),
  profiles: sqliteProfileStore(db),
  feedback: sqliteFeedbackStore(db),
});

describeReportStore('SQLite in memory', pairInMemory(storesOver));
describeReportStore('SQLite, two handles on one file', pairOnOneFile(storesOver));
