import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqlite, type SqliteDatabase } from '../../src/storage/sqlite/database.ts';
import { migrate } from '../../src/storage/sqlite/migrations.ts';

export const openMemory = async (): Promise<SqliteDatabase> => {
  const db = openSqlite(':memory:');
  await migrate(db);
  return db;
};

/** Several handles on one file in a directory of its own, which `close` removes. */
export const openFile = async (handles: number): Promise<{ handles: SqliteDatabase[]; close: () => void }> => {
  const dir = mkdtempSync(join(tmpdir(), 'bellman-test-'));
  const dbs: SqliteDatabase[] = [];
  for (let n = 0; n < handles; n++) {
    const db = openSqlite(join(dir, 'test.db'));
    await migrate(db);
    dbs.push(db);
  }
  return {
    handles: dbs,
    close: () => {
      for (const db of dbs) db.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
};
