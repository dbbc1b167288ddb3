import { sqliteAddressStore } from '../../src/storage/sqlite/address-store.ts';
import { pairInMemory, pairOnOneFile } from '../helpers/open-sqlite.ts';
import { describeAddressStore } from './contract/address-contract.ts';

describeAddressStore('SQLite in memory', pairInMemory(sqliteAddressStore));
describeAddressStore('SQLite, two handles on one file', pairOnOneFile(sqliteAddressStore));
