import { existsSync, statSync } from 'node:fs';
import { openSqlite } from './database.ts';
import { newestSchema } from './migrations.ts';

/** What stands in a database file, without changing it. `wrapped`: the setting `lookup-key`, null where there is none. */
export type SqliteProbe = {
  bytes: number;
  version: number;
  newest: number;
  quickCheck: string;
  wrapped: string | null;
};

/** Looks at a database file; null where there is none. Throws libsql's error for what cannot be opened or is no database. */
export const probeSqlite = (file: string): SqliteProbe | null => {
  if (!existsSync(file)) return null;
  const db = openSqlite(file, { busyMs: 0 });
  try {
    const has = (table: string): boolean =>
      db.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?").get(table) !== undefined;
    const version = has('migrations') ? Number(db.prepare('SELECT max(id) AS n FROM migrations').get()?.n ?? 0) : 0;
    const kept = has('settings') && db.prepare("SELECT value FROM settings WHERE name = 'lookup-key'").get()?.value;
    const quickCheck = String(db.prepare('PRAGMA quick_check(1)').get()?.quick_check ?? 'no answer');
    const wrapped = typeof kept === 'string' ? kept : null;
    return { bytes: statSync(file).size, version, newest: newestSchema, quickCheck, wrapped };
  } finally {
    db.close();
  }
};
