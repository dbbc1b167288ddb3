import { mongoReturnStore } from '../../src/storage/mongo/return-store.ts';
import { describeWithMongo, pairOnMongo } from '../helpers/open-mongo.ts';
import { describeReturnStore } from './contract/return-contract.ts';

describeWithMongo('returned mail on MongoDB', () => {
  describeReturnStore('MongoDB', pairOnMongo(mongoReturnStore));
});
