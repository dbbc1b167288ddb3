import { existsSync } from 'node:fs';
import { composeCommand } from '../src/compose.ts';
import { type Config, ConfigError, readConfig } from '../src/config.ts';
import { realEdges } from '../src/edges.ts';
import { makeLog } from '../src/log.ts';
import type { Services } from '../src/services.ts';
import { startFault } from '../src/start-fault.ts';

/** Ends the command with a message on standard error. */
export const stopWith = (message: string, code = 1): never => {
  process.stderr.write(message);
  process.exit(code);
};

/** The configuration of the environment; where it cannot be read, the command ends and names its faults. */
export const commandConfig = (): Config => {
  try {
    return readConfig(process.env);
  } catch (error) {
    if (error instanceof ConfigError) return stopWith(`${error.message}\n`, 2);
    throw error;
  }
};

/** The file of an SQLite database; on MongoDB the command ends and names the tool that does the same there. */
export const onlySqlite = ({ database }: Config, instead: string): string =>
  database.kind === 'sqlite'
    ? database.file
    : stopWith(`This is for SQLite. On MongoDB (docs/operations.md): ${instead}\n`, 2);

/** Says where a command makes a database, or would look into an empty one; null where there is one. */
const missingStore = ({ database }: Config): string | null =>
  database.kind === 'sqlite' && !existsSync(database.file)
    ? `There is no database at ${database.file}. Is DATA_DIR (or DATABASE_URL) that of the service?\n`
    : null;

/**
 * The services over the store of the environment. Where there is none, or it cannot be opened, the command ends and says why;
 * with `makes` it makes one, and says so, since whoever forgot DATA_DIR would wait in vain for what was done there.
 */
export const openCommand = async (
  config: Config,
  { makes = false }: { makes?: boolean } = {},
): Promise<{ services: Services; close: () => Promise<void> }> => {
  const missing = missingStore(config);
  if (missing !== null && !makes) return stopWith(missing);
  if (missing !== null) process.stderr.write(`${missing.trimEnd()} A new one is made.\n`);
  try {
    return await composeCommand(config, { edges: realEdges, log: makeLog('warn') });
  } catch (error) {
    const fault = startFault(error, config);
    if (fault === null) throw error;
    return stopWith(`${fault}.\n`);
  }
};
