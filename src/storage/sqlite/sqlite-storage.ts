import type { Storage } from '../storage.ts';
import { sqliteAccessStore } from './access-store.ts';
import { sqliteAccountStore } from './account-store.ts';
import { sqliteAddressStore } from './address-store.ts';
import { sqliteApplicationStore } from './application-store.ts';
import { sqliteAudienceStore } from './audience-store.ts';
import { sqliteCalendarStore } from './calendar-store.ts';
import { sqliteCatalogueStore } from './catalogue-store.ts';
import { type OpenOptions, openSqlite, type SqliteDatabase } from './database.ts';
import { sqliteDeadlineStore } from './deadline-store.ts';
import { sqliteFeedStore } from './feed-store.ts';
import { sqliteFeedbackStore } from './feedback-store.ts';
import { sqliteFoldStore } from './fold-store.ts';
import { sqliteItemStore } from './item-store.ts';
import { sqliteLedgerStore } from './ledger-store.ts';
import { migrate } from './migrations.ts';
import { sqliteOpinionStore } from './opinion-store.ts';
import { sqlitePostStore } from './post-store.ts';
import { sqliteProfileStore } from './profile-store.ts';
import { sqlitePushOrderStore } from './push-order-store.ts';
import { sqlitePushStore } from './push-store.ts';
import { sqliteQueueStore } from './queue-store.ts';
import { sqliteReportStore } from './report-store.ts';
import { sqliteReturnStore } from './return-store.ts';
import { sqliteRuleStore } from './rule-store.ts';
import { sqliteSealedStore } from './sealed-store.ts';
import { sqliteSignUpStore } from './sign-up-store.ts';
import { sqliteSourceStore } from './source-store.ts';
import { sqliteStaffSignInStore } from './staff-sign-in-store.ts';
import { sqliteSubscriptionStore } from './subscription-store.ts';
import { sqliteTransactionalStore } from './transactional-store.ts';
import { sqliteTuningStore } from './tuning-store.ts';
import { sqliteWebhookStore } from './webhook-store.ts';

/** Every port over one open database whose schema is up to date. */
export const sqliteStorage = (db: SqliteDatabase): Storage => {
  const one = db.prepare('SELECT 1');
  return {
    catalogue: sqliteCatalogueStore(db),
    subscriptions: sqliteSubscriptionStore(db),
    addresses: sqliteAddressStore(db),
    signUps: sqliteSignUpStore(db),
    profiles: sqliteProfileStore(db),
    items: sqliteItemStore(db),
    rules: sqliteRuleStore(db),
    pushes: sqlitePushStore(db),
    pushOrders: sqlitePushOrderStore(db),
    ledger: sqliteLedgerStore(db),
    folds: sqliteFoldStore(db),
    feedback: sqliteFeedbackStore(db),
    reports: sqliteReportStore(db),
    transactional: sqliteTransactionalStore(db),
    audience: sqliteAudienceStore(db),
    access: sqliteAccessStore(db),
    staffSignIns: sqliteStaffSignInStore(db),
    webhooks: sqliteWebhookStore(db),
    returns: sqliteReturnStore(db),
    calendar: sqliteCalendarStore(db),
    applications: sqliteApplicationStore(db),
    opinions: sqliteOpinionStore(db),
    deadlines: sqliteDeadlineStore(db),
    tuning: sqliteTuningStore(db),
    feeds: sqliteFeedStore(db),
    queues: sqliteQueueStore(db),
    sealed: sqliteSealedStore(db),
    accounts: sqliteAccountStore(db),
    posts: sqlitePostStore(db),
    sources: sqliteSourceStore(db),
    ping: async () => {
      await db.read(() => one.get());
    },
    close: () => db.close(),
  };
};

/** Opens the file (`:memory:` for a store that goes with the process) and brings its schema forward. */
export const openSqliteStorage = async (file: string, options: OpenOptions = {}): Promise<Storage> => {
  const db = openSqlite(file, options);
  await migrate(db);
  return sqliteStorage(db);
};
