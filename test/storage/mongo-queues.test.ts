import { realEdges } from '../../src/edges.ts';
import { mongoStores } from '../../src/storage/mongo/mongo-storage.ts';
import { describeWithMongo, pairOnMongo } from '../helpers/open-mongo.ts';
import { describeQueueStore } from './contract/queue-contract.ts';

describeWithMongo('queues on MongoDB', () => {
  describeQueueStore(
    'MongoDB',
    pairOnMongo((db) => mongoStores(db, realEdges)),
  );
});
