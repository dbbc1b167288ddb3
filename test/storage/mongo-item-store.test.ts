import { mongoItemStore } from '../../src/storage/mongo/item-store.ts';
import { describeWithMongo, openOnMongo, pairOnMongo } from '../helpers/open-mongo.ts';
import { describeItemStore } from './contract/item-store-contract.ts';

describeWithMongo('items on MongoDB', () => {
  describeItemStore('MongoDB', openOnMongo(mongoItemStore), pairOnMongo(mongoItemStore), { many: 1_000 });
});
