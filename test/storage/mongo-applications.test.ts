import { realEdges } from '../../src/edges.ts';
import { mongoStores } from '../../src/storage/mongo/mongo-storage.ts';
import { describeWithMongo, pairOnMongo } from '../helpers/open-mongo.ts';
import { describeApplicationStore } from './contract/applications-contract.ts';
import { describeCalendarStore } from './contract/calendar-contract.ts';
import { describeDeadlineStore } from './contract/deadlines-contract.ts';
import { describeOpinionStore } from './contract/opinions-contract.ts';

describeWithMongo('applications on MongoDB', () => {
  const onMongo = pairOnMongo((db) => mongoStores(db, realEdges));
  describeCalendarStore(
    'MongoDB',
    pairOnMongo((db) => mongoStores(db, realEdges).calendar),
  );
  describeApplicationStore('MongoDB', onMongo);
  describeOpinionStore('MongoDB', onMongo);
  describeDeadlineStore('MongoDB', onMongo, { many: 500 });
});
