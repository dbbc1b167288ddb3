import { mongoPushStore } from '../../src/storage/mongo/push-store.ts';
import { describeWithMongo, pairOnMongo } from '../helpers/open-mongo.ts';
import { describePushStore } from './contract/push-store-contract.ts';

describeWithMongo('pushes and claims on MongoDB', () => {
  describePushStore('MongoDB', pairOnMongo(mongoPushStore), { many: 2_000, races: 50 });
});
