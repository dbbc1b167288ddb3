import type { MongoDatabase } from '../../src/storage/mongo/connection.ts';
import { mongoFeedbackStore } from '../../src/storage/mongo/feedback-store.ts';
import { mongoProfileStore } from '../../src/storage/mongo/profile-store.ts';
import { mongoPushStore } from '../../src/storage/mongo/push-store.ts';
import { mongoReportStore } from '../../src/storage/mongo/report-store.ts';
import { mongoSubscriptionStore } from '../../src/storage/mongo/subscription-store.ts';
import { describeWithMongo, pairOnMongo } from '../helpers/open-mongo.ts';
import { describeReportStore } from './contract/report-contract.ts';

const storesOver = (db: MongoDatabase['db']) => ({
  reports: mongoReportStore(db),
  pushes: mongoPushStore(db),
  subscriptions: mongoSubscriptionStore(db),
  profiles: mongoProfileStore(db),
  feedback: mongoFeedbackStore(db),
});

describeWithMongo('reports on MongoDB', () => {
  describeReportStore('MongoDB', pairOnMongo(storesOver));
});
