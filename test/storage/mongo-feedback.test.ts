import type { MongoDatabase } from '../../src/storage/mongo/connection.ts';
import { mongoFeedbackStore } from '../../src/storage/mongo/feedback-store.ts';
import { mongoSubscriptionStore } from '../../src/storage/mongo/subscription-store.ts';
import { describeWithMongo, pairOnMongo } from '../helpers/open-mongo.ts';
import { describeFeedbackStore } from './contract/feedback-contract.ts';

const storesOver = (db: MongoDatabase['db']) => ({
  feedback: mongoFeedbackStore(db),
  subscriptions: mongoSubscriptionStore(db),
});

describeWithMongo('feedback on MongoDB', () => {
  describeFeedbackStore('MongoDB', pairOnMongo(storesOver));
});
