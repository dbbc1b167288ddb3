import { realEdges } from '../../src/edges.ts';
import { mongoLedgerStore } from '../../src/storage/mongo/ledger-store.ts';
import { mongoPushStore } from '../../src/storage/mongo/push-store.ts';
import { describeWithMongo, openMongoHandles } from '../helpers/open-mongo.ts';
import { describeLedgerStore } from './contract/ledger-store-contract.ts';

describeWithMongo('the ledger on MongoDB', () => {
  describeLedgerStore(
    'MongoDB',
    async () => {
      const { handles, close } = await openMongoHandles(2);
      const [one, two] = handles.map((db) => ({ pushes: mongoPushStore(db), ledger: mongoLedgerStore(db, realEdges) }));
      if (!one || !two) throw new Error('two handles were asked for');
      return { handles: [one, two], close };
    },
    // FerretDB compares every document with every id
    { many: 500, races: 50 },
  );
});
