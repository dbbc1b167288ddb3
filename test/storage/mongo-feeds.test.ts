import { mongoFeedStore } from '../../src/storage/mongo/feed-store.ts';
import { describeWithMongo, pairOnMongo } from '../helpers/open-mongo.ts';
import { describeFeedStore } from './contract/feed-contract.ts';

describeWithMongo('feeds on MongoDB', () => {
  describeFeedStore('MongoDB', pairOnMongo(mongoFeedStore));
});
