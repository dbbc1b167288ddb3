import { sqliteStorage } from '../../src/storage/sqlite/sqlite-storage.ts';
import { pairInMemory, pairOnOneFile } from '../helpers/open-sqlite.ts';
import { describeApplicationStore } from './contract/applications-contract.ts';
import { describeCalendarStore } from './contract/calendar-contract.ts';
import { describeDeadlineStore } from './contract/deadlines-contract.ts';
import { describeOpinionStore } from './contract/opinions-contract.ts';

const pairs = { 'SQLite in memory': pairInMemory, 'SQLite, two handles on one file': pairOnOneFile };
for (const [name, pair] of Object.entries(pairs)) {
  describeCalendarStore(
    name,
    pair((db) => sqliteStorage(db).calendar),
  );
  describeApplicationStore(name, pair(sqliteStorage));
  describeOpinionStore(name, pair(sqliteStorage));
  describeDeadlineStore(name, pair(sqliteStorage));
}
