import { mongoTransactionalStore } from '../../src/storage/mongo/transactional-store.ts';
import { describeWithMongo, openOnMongo, pairOnMongo } from '../helpers/open-mongo.ts';
import { describeTransactionalStore } from './contract/transactional-contract.ts';

describeWithMongo('transactional messages on MongoDB', () => {
  describeTransactionalStore('MongoDB', openOnMongo(mongoTransactionalStore), pairOnMongo(mongoTransactionalStore));
});
