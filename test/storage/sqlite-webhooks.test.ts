import { sqliteWebhookStore } from '../../src/storage/sqlite/webhook-store.ts';
import { pairInMemory, pairOnOneFile } from '../helpers/open-sqlite.ts';
import { describeWebhookStore } from './contract/webhook-contract.ts';

describeWebhookStore('SQLite in memory', pairInMemory(sqliteWebhookStore));
describeWebhookStore('SQLite, two handles on one file', pairOnOneFile(sqliteWebhookStore));
