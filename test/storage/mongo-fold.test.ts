import { realEdges } from '../../src/edges.ts';
import type { MongoDatabase } from '../../src/storage/mongo/connection.ts';
import { mongoFoldStore } from '../../src/storage/mongo/fold-store.ts';
import { mongoLedgerStore } from '../../src/storage/mongo/ledger-store.ts';
import { mongoPushStore } from '../../src/storage/mongo/push-store.ts';
import { describeWithMongo, pairOnMongo } from '../helpers/open-mongo.ts';
import { describeFoldStore } from './contract/fold-contract.ts';

const storesOver = (db: MongoDatabase['db']) => ({
  folds: mongoFoldStore(db),
  ledger: mongoLedgerStore(db, realEdges),
  pushes: mongoPushStore(db),
});

describeWithMongo('folds on MongoDB', () => {
  describeFoldStore('MongoDB', pairOnMongo(storesOver));
});
