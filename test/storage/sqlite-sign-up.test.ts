import { sqliteSignUpStore } from '../../src/storage/sqlite/sign-up-store.ts';
import { pairInMemory, pairOnOneFile } from '../helpers/open-sqlite.ts';
import { describeSignUpStore } from './contract/sign-up-contract.ts';

describeSignUpStore('SQLite in memory', pairInMemory(sqliteSignUpStore));
describeSignUpStore('SQLite, two handles on one file', pairOnOneFile(sqliteSignUpStore));
