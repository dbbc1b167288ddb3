import { mongoAccountStore } from '../../src/storage/mongo/account-store.ts';
import { describeWithMongo, openOnMongo, pairOnMongo } from '../helpers/open-mongo.ts';
import { describeAccessToken } from './contract/access-token-contract.ts';
import { describeAccountStore } from './contract/account-contract.ts';

describeWithMongo('accounts on MongoDB', () => {
  describeAccountStore('MongoDB', openOnMongo(mongoAccountStore), pairOnMongo(mongoAccountStore));
  describeAccessToken('MongoDB', pairOnMongo(mongoAccountStore));
});
