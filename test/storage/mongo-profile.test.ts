import { realEdges } from '../../src/edges.ts';
import { mongoStores } from '../../src/storage/mongo/mongo-storage.ts';
import { describeWithMongo, pairOnMongo } from '../helpers/open-mongo.ts';
import { describeProfileStore } from './contract/profile-contract.ts';

describeWithMongo('profiles on MongoDB', () => {
  describeProfileStore(
    'MongoDB',
    pairOnMongo((db) => mongoStores(db, realEdges)),
    { many: 500 },
  );
});
