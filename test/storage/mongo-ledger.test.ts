import { realEdges } from '../../src/edges.ts';
import { mongoLedgerStore } from '../../src/storage/mongo/ledger-store.ts';
import { mongoPushStore } from '../../src/storage/mongo/push-store.ts';
import { describeWithMongo, pairOnMongo } from '../helpers/open-mongo.ts';
import { describeLedgerStore } from './contract/ledger-store-contract.ts';

describeWithMongo('the ledger on MongoDB', () => {
  describeLedgerStore(
    'MongoDB',
    pairOnMongo((db) => ({ pushes: mongoPushStore(db), ledger: mongoLedgerStore(db, realEdges) })),
    // FerretDB compares every document with every id
    { many: 500, races: 50 },
  );
});
