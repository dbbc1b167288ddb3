import { realEdges } from '../../src/edges.ts';
import { mongoStores } from '../../src/storage/mongo/mongo-storage.ts';
import { describeWithMongo, pairOnMongo } from '../helpers/open-mongo.ts';
import { describeAudienceStore } from './contract/audience-contract.ts';

describeWithMongo('the audience on MongoDB', () => {
  describeAudienceStore(
    'MongoDB',
    pairOnMongo((db) => mongoStores(db, realEdges)),
    { many: 500 },
  );
});
