import { sep } from 'node:path';
import type { Config } from './config.ts';
import { AppError } from './errors.ts';
import { SecretError } from './keyring.ts';

type SystemError = Error & { code?: unknown; syscall?: unknown; path?: unknown; port?: unknown };
type Place = Pick<Config, 'host' | 'port' | 'dataDir' | 'database' | 'bounceListen'>;

const listenFault = (code: string, { host, port }: Place): string => {
  if (code === 'EADDRINUSE') return `port ${port} is taken. Stop what listens there, or set PORT to another one`;
  if (code === 'EACCES') return `this user may not listen on port ${port}. Set PORT to one from 1024 on`;
  return `nothing can listen on ${host} (${code}). Set HOST to an address of this machine`;
};

/** The setting that says where the database lies. */
const databaseSetting = ({ dataDir, database }: Place): string =>
  database.kind === 'sqlite' && database.file.startsWith(dataDir + sep) ? 'DATA_DIR' : 'DATABASE_URL';

const databaseFault = (code: string, place: Place): string => {
  const file = place.database.kind === 'sqlite' ? place.database.file : 'of DATABASE_URL';
  const setting = databaseSetting(place);
  if (code === 'SQLITE_NOTADB' || code === 'SQLITE_CORRUPT')
    return `the file ${file} is not a sound database (${code}). Put back a backup, or set ${setting} to another place`;
  if (code === 'SQLITE_FULL')
    return `the disk of the database ${file} is full. Make room, or set ${setting} to another place`;
  return `the database ${file} cannot be opened and written (${code}). Give this user the right to write the file and its folder, make room where the disk is full, or set ${setting} to another place`;
};

const sqliteCode = (error: SystemError): string | null => {
  if (typeof error.code === 'string' && error.code.startsWith('SQLITE_')) return error.code;
  if (error instanceof AppError && error.code === 'store-unavailable')
    return /SQLITE_\w+/.exec(error.message)?.[0] ?? error.message;
  // how libsql says that it cannot open the file
  return /^ConnectionFailed/.test(error.message) ? 'SQLITE_CANTOPEN' : null;
};

/**
 * One line for what an operator can mend when the start fails: what is wrong and which setting to change. Null for a fault of
 * ours.
 */
export const startFault = (error: unknown, place: Place): string | null => {
  if (!(error instanceof Error)) return null;
  if (error instanceof SecretError) return error.message;
  const { code, syscall, path, port } = error as SystemError;
  if (syscall === 'listen' && place.bounceListen && port === place.bounceListen.port && port !== place.port)
    return `nothing can listen on port ${port} (${code}). Set BOUNCE_LISTEN to a free one that this user may use`;
  if ((syscall === 'listen' || syscall === 'getaddrinfo') && typeof code === 'string') return listenFault(code, place);
  // the driver's names: MongoParseError, MongooseServerSelectionError, MongoServerError …
  if (/^Mongo/.test(error.name))
    return `the database of DATABASE_URL cannot be used (${error.message}). Start it, or set DATABASE_URL to where it is`;
  const refused = sqliteCode(error);
  if (refused) return databaseFault(refused, place);
  if (typeof path !== 'string' || typeof code !== 'string') return null;
  const setting =
    path.startsWith(place.dataDir) || place.dataDir.startsWith(path) ? 'DATA_DIR' : databaseSetting(place);
  return `${path} cannot be made or used (${code}). Set ${setting} to a folder that this user may write`;
};
