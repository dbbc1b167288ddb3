import { mongoAddressStore } from '../../src/storage/mongo/address-store.ts';
import type { MongoDatabase } from '../../src/storage/mongo/connection.ts';
import { mongoSubscriptionStore } from '../../src/storage/mongo/subscription-store.ts';
import { describeWithMongo, pairOnMongo } from '../helpers/open-mongo.ts';
import { describeImports } from './contract/import-contract.ts';
import { describeSubscriptionStore } from './contract/subscription-contract.ts';

const onMongo = pairOnMongo((db: MongoDatabase['db']) => ({
  subscriptions: mongoSubscriptionStore(db),
  addresses: mongoAddressStore(db),
}));

describeWithMongo('people on MongoDB', () => {
  describeSubscriptionStore('MongoDB', onMongo, { many: 500 });
  describeImports('MongoDB', onMongo, { many: 60 });
});
