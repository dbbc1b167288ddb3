import { randomBytes } from 'node:crypto';
import { copyFileSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { openStorage } from '../src/compose.ts';
import { type Config, environment } from '../src/config.ts';
import { realEdges } from '../src/edges.ts';
import { secretFile } from '../src/secret.ts';
import { changeSecret } from '../src/secret-change.ts';
import { closedByAll } from '../src/storage/sqlite/backup.ts';
import { commandConfig, stopWith } from './command.ts';

const usage = `Changes the SECRET of the store that the environment names. Stop the service first. Ended before its time, the command goes on
from there when it is run again.

  npm run secret:change                  DATA_DIR/secret gives way to a new one, and is kept beside it for older backups
  NEW_SECRET=… npm run secret:change     where SECRET is set: then set it to the new one everywhere, and start
`;

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** On SQLite it is seen whether something runs, on MongoDB not. */
const change = async (config: Config, from: string, to: string): Promise<void> => {
  const { database } = config;
  if (database.kind === 'sqlite' && existsSync(database.file)) closedByAll(database.file);
  const storage = await openStorage(config, realEdges);
  try {
    await changeSecret(storage.access, from, to);
  } finally {
    await storage.close();
  }
};

/** The secret of the environment. */
const inEnvironment = async (config: Config, from: string): Promise<void> => {
  const read = environment.SECRET.schema.safeParse(process.env.NEW_SECRET || undefined);
  const to = read.success ? read.data : undefined;
  if (to === undefined || to === from)
    return stopWith(`NEW_SECRET must be set, to at least 16 characters that are not those of SECRET.\n\n${usage}`, 2);
  await change(config, from, to);
  say('SECRET is changed. Set SECRET to the new one everywhere, then start the service.');
};

/** The secret in its file: the new one lies beside it until the store is under it. */
const inFile = async (config: Config): Promise<void> => {
  const file = secretFile(config);
  if (!existsSync(file)) return stopWith(`There is no secret yet: the first start makes ${file}.\n`);
  const next = `${file}.next`;
  if (!existsSync(next)) {
    writeFileSync(`${next}.draft`, randomBytes(32).toString('base64url'), { mode: 0o600, flush: true });
    renameSync(`${next}.draft`, next);
  }
  await change(config, readFileSync(file, 'utf8').trim(), readFileSync(next, 'utf8').trim());
  const before = `${file}.before-${new Date().toISOString().replace(/[:.]/g, '-')}`;
  copyFileSync(file, before);
  renameSync(next, file);
  say(`${file} is changed. Start the service.`);
  say(`The one before is kept as ${before}: backups made until now open with it alone.`);
};

if (process.argv.length > 2) stopWith(usage, 2);
const config = commandConfig();
try {
  await (config.secret === undefined ? inFile(config) : inEnvironment(config, config.secret));
  say('Citizens sign in anew; links in mails go on. If the old one became known: npm run keys:rotate, too.');
} catch (error) {
  stopWith(`SECRET is not changed: ${(error as Error).message}\n`);
}
