import { mongoPostStore } from '../../src/storage/mongo/post-store.ts';
import { describeWithMongo, openOnMongo, pairOnMongo } from '../helpers/open-mongo.ts';
import { describePostStore } from './contract/post-contract.ts';

describeWithMongo('posts on MongoDB', () => {
  describePostStore('MongoDB', openOnMongo(mongoPostStore), pairOnMongo(mongoPostStore));
});
