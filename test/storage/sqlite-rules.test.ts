import { sqliteRuleStore } from '../../src/storage/sqlite/rule-store.ts';
import { openFile, openMemory } from '../helpers/open-sqlite.ts';
import { describeRuleStore } from './contract/rule-store-contract.ts';

describeRuleStore(
  'SQLite',
  async () => {
    const db = await openMemory();
    return { store: sqliteRuleStore(db), close: db.close };
  },
  async () => {
    const { handles, close } = await openFile(2);
    const [one, two] = handles.map(sqliteRuleStore);
    if (!one || !two) throw new Error('two handles were asked for');
    return { stores: [one, two], close: close };
  },
);
