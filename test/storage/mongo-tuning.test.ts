import { mongoTuningStore } from '../../src/storage/mongo/tuning-store.ts';
import { describeWithMongo, pairOnMongo } from '../helpers/open-mongo.ts';
import { describeTuningStore } from './contract/tuning-contract.ts';

describeWithMongo('tuning on MongoDB', () => {
  describeTuningStore('MongoDB', pairOnMongo(mongoTuningStore));
});
