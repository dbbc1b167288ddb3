import { mongoCatalogueStore } from '../../src/storage/mongo/catalogue-store.ts';
import { describeWithMongo, openOnMongo } from '../helpers/open-mongo.ts';
import { describeCatalogueStore } from './contract/catalogue-contract.ts';

describeWithMongo('the catalogue on MongoDB', () => {
  describeCatalogueStore('MongoDB', openOnMongo(mongoCatalogueStore), { many: 1_000 });
});
