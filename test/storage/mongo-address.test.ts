import { mongoAddressStore } from '../../src/storage/mongo/address-store.ts';
import { describeWithMongo, pairOnMongo } from '../helpers/open-mongo.ts';
import { describeAddressStore } from './contract/address-contract.ts';

describeWithMongo('addresses on MongoDB', () => {
  describeAddressStore('MongoDB', pairOnMongo(mongoAddressStore));
});
