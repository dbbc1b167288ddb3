import { mongoSourceStore } from '../../src/storage/mongo/source-store.ts';
import { describeWithMongo, pairOnMongo } from '../helpers/open-mongo.ts';
import { describeSourceStore } from './contract/source-contract.ts';

describeWithMongo('sources on MongoDB', () => {
  describeSourceStore('MongoDB', pairOnMongo(mongoSourceStore));
});
