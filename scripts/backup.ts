import { resolve } from 'node:path';
import { backupSqlite } from '../src/storage/sqlite/backup.ts';
import { commandConfig, onlySqlite, stopWith } from './command.ts';

/**
 * `npm run backup -- FILE`: copies the database of the environment into FILE as of one moment, while the service runs.
 */
const usage = 'npm run backup -- FILE    copies the SQLite database into FILE, which must not be there yet\n';

const [file, ...more] = process.argv.slice(2);
if (file === undefined || more.length > 0) stopWith(usage, 2);
const config = commandConfig();
const from = onlySqlite(config, 'mongodump --uri SERVER --oplog --gzip --archive=FILE');
try {
  const { bytes, version } = backupSqlite(from, resolve(file ?? ''));
  process.stdout.write(`${file}: ${bytes.toLocaleString('en')} bytes, schema ${version}, sound\n`);
  if (config.secret === undefined)
    process.stdout.write(`Keep ${config.dataDir}/secret, too, and elsewhere: without it nobody can read the backup.\n`);
} catch (error) {
  stopWith(`There is no backup: ${(error as Error).message}\n`);
}
