import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqlite, type SqliteDatabase } from '../../src/storage/sqlite/database.ts';
import { migrate } from '../../src/storage/sqlite/migrations.ts';
import type { Pair } from '../storage/contract/pair.ts';

export const openMemory = async (): Promise<SqliteDatabase> => {
  const db = openSqlite(':memory:');
  await migrate(db);
  return db;
};

/** Several handles on one file in a directory of its own, which `close` removes. */
export const openFile = async (handles: number): Promise<{ handles: SqliteDatabase[]; close: () => Promise<void> }> => {
  const dir = mkdtempSync(join(tmpdir(), 'bellman-test-'));
  const dbs: SqliteDatabase[] = [];
  for (let n = 0; n < handles; n++) {
    const db = openSqlite(join(dir, 'test.db'));
    await migrate(db);
    dbs.push(db);
  }
  return {
    handles: dbs,
    close: async () => {
      for (const db of dbs) await db.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
};

type StoreOver<S> = (db: SqliteDatabase) => S;

/** Two stores on one database in memory. */
export const pairInMemory =
  <S>(storeOver: StoreOver<S>) =>
  async (): Promise<Pair<S>> => {
    const db = await openMemory();
    return { stores: [storeOver(db), storeOver(db)], close: db.close };
  };

/** Two stores on one file, each with a handle of its own. */
export const pairOnOneFile =
  <S>(storeOver: StoreOver<S>) =>
  async (): Promise<Pair<S>> => {
    const { handles, close } = await openFile(2);
    const [one, two] = handles.map(storeOver);
    if (!one || !two) throw new Error('two handles were asked for');
    return { stores: [one, two], close: close };
  };
