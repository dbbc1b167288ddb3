import { rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { makeFolder } from '../src/make-folder.ts';
import { restoreSqlite } from '../src/storage/sqlite/backup.ts';
import { probeSqlite } from '../src/storage/sqlite/probe.ts';
import { commandConfig, onlySqlite, stopWith } from './command.ts';
import { keptSecret, opens } from './doctor-probes.ts';

/** `npm run restore -- FILE`: puts a backup in the place of the database of the environment. The service must not be running. */
const usage = 'npm run restore -- FILE    puts the backup FILE in the place of the database; stop the service first\n';

const [file, ...more] = process.argv.slice(2);
if (file === undefined || more.length > 0) stopWith(usage, 2);
const config = commandConfig();
const to = onlySqlite(config, 'mongorestore --uri SERVER --oplogReplay --gzip --archive=FILE --drop');
const from = resolve(file ?? '');
try {
  makeFolder(dirname(to));
  if (opens(keptSecret(config), probeSqlite(from)?.wrapped ?? null) === false)
    stopWith('SECRET (or DATA_DIR/secret) does not open this backup: put back the one it was made with.\n');
  const keepAs = `${to}.before-${new Date().toISOString().replace(/[:.]/g, '-')}`;
  const { probe, kept } = restoreSqlite(from, to, keepAs);
  // it may know people whom the backup does not
  rmSync(join(config.dataDir, 'audience.snapshot'), { force: true });
  process.stdout.write(`${to} is as in ${file}: ${probe.bytes.toLocaleString('en')} bytes, schema ${probe.version}\n`);
  if (kept !== null) process.stdout.write(`What was there is kept as ${kept}\n`);
} catch (error) {
  stopWith(`Nothing was restored: ${(error as Error).message}\n`);
}
