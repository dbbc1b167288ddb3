import type { mongo } from 'mongoose';
import type { Edges } from '../../edges.ts';
import type { Storage } from '../storage.ts';
import { mongoAccessStore } from './access-store.ts';
import { mongoAccountStore } from './account-store.ts';
import { mongoAddressStore } from './address-store.ts';
import { mongoApplicationStore } from './application-store.ts';
import { mongoAudienceStore } from './audience-store.ts';
import { orUnavailable, sayingAway } from './away.ts';
import { bringForward } from './bring-forward.ts';
import { mongoCalendarStore } from './calendar-store.ts';
import { mongoCatalogueStore } from './catalogue-store.ts';
import { ensureIndexes, type MongoDatabase, openMongo } from './connection.ts';
import { mongoDeadlineStore } from './deadline-store.ts';
import { mongoFeedStore } from './feed-store.ts';
import { mongoFeedbackStore } from './feedback-store.ts';
import { mongoFoldStore } from './fold-store.ts';
import { mongoItemStore } from './item-store.ts';
import { mongoLedgerStore } from './ledger-store.ts';
import { mongoOpinionStore } from './opinion-store.ts';
import { settleDebts } from './people/people.ts';
import { mongoPostStore } from './post-store.ts';
import { mongoProfileStore } from './profile-store.ts';
import { mongoPushOrderStore } from './push-order-store.ts';
import { mongoPushStore } from './push-store.ts';
import { mongoQueueStore } from './queue-store.ts';
import { mongoReportStore } from './report-store.ts';
import { mongoReturnStore } from './return-store.ts';
import { mongoRuleStore } from './rule-store.ts';
import { mongoSealedStore } from './sealed-store.ts';
import { mongoSignUpStore } from './sign-up-store.ts';
import { mongoSourceStore } from './source-store.ts';
import { mongoStaffSignInStore } from './staff-sign-in-store.ts';
import { mongoSubscriptionStore } from './subscription-store.ts';
import { mongoTransactionalStore } from './transactional-store.ts';
import { mongoTuningStore } from './tuning-store.ts';
import { mongoWebhookStore } from './webhook-store.ts';

type Stores = Omit<Storage, 'ping' | 'close'>;

/** Every port over one database. */
export const mongoStores = (db: mongo.Db, edges: Edges): Stores => ({
  catalogue: mongoCatalogueStore(db),
  subscriptions: mongoSubscriptionStore(db),
  addresses: mongoAddressStore(db),
  signUps: mongoSignUpStore(db),
  profiles: mongoProfileStore(db),
  items: mongoItemStore(db),
  rules: mongoRuleStore(db),
  pushes: mongoPushStore(db),
  pushOrders: mongoPushOrderStore(db),
  ledger: mongoLedgerStore(db, edges),
  feedback: mongoFeedbackStore(db),
  folds: mongoFoldStore(db),
  reports: mongoReportStore(db),
  transactional: mongoTransactionalStore(db),
  audience: mongoAudienceStore(db, edges),
  access: mongoAccessStore(db),
  staffSignIns: mongoStaffSignInStore(db),
  webhooks: mongoWebhookStore(db),
  returns: mongoReturnStore(db),
  calendar: mongoCalendarStore(db),
  applications: mongoApplicationStore(db),
  opinions: mongoOpinionStore(db),
  deadlines: mongoDeadlineStore(db),
  tuning: mongoTuningStore(db),
  feeds: mongoFeedStore(db),
  queues: mongoQueueStore(db),
  sealed: mongoSealedStore(db),
  accounts: mongoAccountStore(db),
  posts: mongoPostStore(db),
  sources: mongoSourceStore(db),
});

/** Every port over one open connection whose indexes are there. */
export const mongoStorage = ({ db, close }: MongoDatabase, edges: Edges): Storage => {
  const stores = Object.entries(mongoStores(db, edges)).map(([name, store]) => [name, sayingAway(store)]);
  return {
    ...(Object.fromEntries(stores) as Stores),
    ping: async () => {
      await orUnavailable(() => db.command({ ping: 1 }));
    },
    close,
  };
};

/** The database where the address names none; the driver's own choice would be `test`. */
const usualName = 'bellman';
const namesDatabase = (url: string): boolean => /^[^:]+:\/\/[^/]+\/[^?]/.test(url);

/** The database to use where the address names none; null: the one that it names. */
export const databaseNameOf = (url: string): string | null => (namesDatabase(url) ? null : usualName);

/** Connects to `mongodb://…`, makes the indexes that are missing, brings old documents forward, and finishes what a process left that died. */
export const openMongoStorage = async (url: string, edges: Edges): Promise<Storage> => {
  const database = await openMongo(url, { name: databaseNameOf(url) });
  await ensureIndexes(database.db);
  await bringForward(database.db);
  await settleDebts(database.db);
  return mongoStorage(database, edges);
};
