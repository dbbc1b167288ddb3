import { mongoSignUpStore } from '../../src/storage/mongo/sign-up-store.ts';
import { describeWithMongo, pairOnMongo } from '../helpers/open-mongo.ts';
import { describeSignUpStore } from './contract/sign-up-contract.ts';

describeWithMongo('sign-ups on MongoDB', () => {
  describeSignUpStore('MongoDB', pairOnMongo(mongoSignUpStore));
});
