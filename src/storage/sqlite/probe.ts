import { existsSync, statSync } from 'node:fs';
import Database from 'libsql';
import { newestSchema } from './migrations.ts';

/** What stands in a database file, without changing it. `wrapped`: the setting `lookup-key`, null where there is none. */
export type SqliteProbe = {
  bytes: number;
  version: number;
  newest: number;
  quickCheck: string;
  wrapped: string | null;
};

/** A connection without anything that looks after the file beside it; a lock is waited for, which holds the process up. */
export const openPlain = (file: string): Database.Database => {
  const db = new Database(file);
  db.exec('PRAGMA busy_timeout = 5000');
  return db;
};

/** Looks at a database file; null where there is none. Throws libsql's error for what cannot be opened or is no database. */
export const probeSqlite = (file: string): SqliteProbe | null => {
  if (!existsSync(file)) return null;
  const db = openPlain(file);
  const one = (sql: string): unknown => (db.prepare(sql).raw().get([]) as unknown[] | undefined)?.[0];
  try {
    const has = (table: string): boolean =>
      one(`SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = '${table}'`) !== undefined;
    const version = has('migrations') ? Number(one('SELECT max(id) FROM migrations') ?? 0) : 0;
    const kept = has('settings') ? one("SELECT value FROM settings WHERE name = 'lookup-key'") : null;
    const quickCheck = String(one('PRAGMA quick_check(1)') ?? 'no answer');
    const wrapped = typeof kept === 'string' ? kept : null;
    return { bytes: statSync(file).size, version, newest: newestSchema, quickCheck, wrapped };
  } finally {
    db.close();
  }
};
