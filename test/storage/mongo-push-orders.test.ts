import { mongoPushOrderStore } from '../../src/storage/mongo/push-order-store.ts';
import { describeWithMongo, pairOnMongo } from '../helpers/open-mongo.ts';
import { describePushOrderStore } from './contract/push-order-contract.ts';

describeWithMongo('push orders on MongoDB', () => {
  describePushOrderStore('MongoDB', pairOnMongo(mongoPushOrderStore));
});
