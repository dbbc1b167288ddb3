import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeOwnFile } from './own-file.ts';
import { openPlain, probeSqlite, type SqliteProbe } from './probe.ts';

/** Files that SQLite keeps beside a database. */
const companions = ['-wal', '-shm'];

/**
 * Copies a database that others may be reading and writing into `to`, as of one moment: what was committed before it is in the
 * copy whole, nothing after it. The copy is compact and checked. Throws where `to` is there already, or the copy is not sound.
 */
export const backupSqlite = (from: string, to: string): SqliteProbe => {
  if (existsSync(to)) throw new Error(`${to} is there already`);
  const draft = `${to}.part`;
  rmSync(draft, { force: true });
  const db = openPlain(from);
  try {
    makeOwnFile(draft);
    // one read transaction of SQLite's own: writers go on beside it
    db.prepare('VACUUM INTO ?').run([draft]);
  } finally {
    db.close();
  }
  const made = probeSqlite(draft);
  dropCompanions(draft);
  if (made?.quickCheck !== 'ok') throw new Error(`the copy is not sound: ${made?.quickCheck}`);
  renameSynced(draft, to);
  return made;
};

/**
 * Puts a backup in the place of a database that nobody has open; what was there is kept beside it, and its new name answered
 * (null: nothing was there). Throws for a backup that is not sound or of a newer schema, and while somebody else has the
 * database open.
 */
export const restoreSqlite = (
  from: string,
  to: string,
  keepAs: string,
): { probe: SqliteProbe; kept: string | null } => {
  const probe = probeSqlite(from);
  if (probe?.quickCheck !== 'ok')
    throw new Error(`${from} is no sound backup: ${probe?.quickCheck ?? 'it is not there'}`);
  if (probe.version > probe.newest) throw new Error(`${from} is of a newer version of this program`);
  dropCompanions(from);
  // before the copy, which takes its time and its room
  if (existsSync(to)) closedByAll(to);
  const draft = `${to}.part`;
  rmSync(draft, { force: true });
  backupSqlite(from, draft);
  const kept = existsSync(to) ? keepAs : null;
  try {
    if (kept !== null) putAside(to, kept);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
  renameSynced(draft, to);
  return { probe, kept };
};

/** Throws while somebody has the database open: an exclusive lock proves that nobody has, and brings its log into the file. */
export const closedByAll = (file: string): void => {
  const db = openPlain(file);
  try {
    db.exec('PRAGMA busy_timeout = 50');
    db.prepare('PRAGMA journal_mode = DELETE').get([]);
  } catch (error) {
    throw new Error(`somebody has ${file} open: stop the service first (${(error as Error).message})`);
  } finally {
    db.close();
  }
};

/** Moves a database away, whole. */
const putAside = (file: string, kept: string): void => {
  closedByAll(file);
  renameSync(file, kept);
  dropCompanions(file);
};

const sync = (path: string): void => {
  const file = openSync(path, 'r');
  fsyncSync(file);
  closeSync(file);
};

/** VACUUM INTO syncs nothing: the copy is on the disk before it has its name, and so is the name. */
const renameSynced = (from: string, to: string): void => {
  sync(from);
  renameSync(from, to);
  sync(dirname(to));
};

const dropCompanions = (file: string): void => {
  for (const end of companions) rmSync(file + end, { force: true });
};
