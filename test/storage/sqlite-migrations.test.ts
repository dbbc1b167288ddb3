import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { projectRoot } from '../../src/project-root.ts';
import { openSqlite, type SqliteDatabase } from '../../src/storage/sqlite/database.ts';
import { migrate, newestSchema } from '../../src/storage/sqlite/migrations.ts';
import { openMemory } from '../helpers/open-sqlite.ts';

const schemaOf = (db: SqliteDatabase) =>
  db.prepare('SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name').all();
const applied = (db: SqliteDatabase) =>
  db
    .prepare('SELECT id FROM migrations ORDER BY id')
    .all()
    .map(({ id }) => Number(id));
const all = Array.from({ length: newestSchema }, (_, n) => n + 1);

/** A row whose columns are what NOT NULL asks for, in every table that takes one so: data that a step has to carry. */
const fill = (db: SqliteDatabase): string[] => {
  const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").all();
  return tables.flatMap(({ name }) => {
    const columns = db.prepare(`PRAGMA table_info(${name})`).all();
    const values = columns.map(({ type }) => (type === 'BLOB' ? "x'00'" : type === 'TEXT' ? "'{}'" : '1'));
    if (name === 'migrations') return [];
    try {
      db.exec(`INSERT INTO ${name} VALUES (${values.join(', ')})`);
      return [String(name)];
    } catch (error) {
      // a table whose CHECK or reference wants more is left empty
      if (/constraint/i.test(String(error))) return [];
      throw error;
    }
  });
};

describe('migrations', () => {
  let fresh: SqliteDatabase;
  beforeAll(async () => {
    fresh = openSqlite(':memory:');
    await migrate(fresh);
  });
  afterAll(() => fresh.close());

  // each step was the newest schema once: wherever an installation stands, it comes to the same
  it.each(all.slice(0, -1))(
    'lead from schema %i to the newest, with its data, and do nothing a second time',
    async (from) => {
      const db = openSqlite(':memory:');
      await migrate(db, from);
      const filled = fill(db);
      expect(filled.length).toBeGreaterThan(10);
      await migrate(db);
      await migrate(db);
      expect(schemaOf(db)).toEqual(schemaOf(fresh));
      expect(applied(db)).toEqual(all);
      for (const table of filled) expect(db.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.n).toBe(1);
      await db.close();
    },
  );

  it('make what the other tests copy', async () => {
    const copied = await openMemory();
    expect(schemaOf(copied)).toEqual(schemaOf(fresh));
    expect(applied(copied)).toEqual(all);
    await copied.close();
  });

  it('do nothing to a schema that is newer than they are', async () => {
    const db = openSqlite(':memory:');
    await migrate(db);
    db.prepare('INSERT INTO migrations VALUES (?, 0)').run(newestSchema + 1);
    await migrate(db);
    expect(applied(db)).toEqual([...all, newestSchema + 1]);
    await db.close();
  });

  it('happen once each when several processes start at once', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'bellman-migrations-'));
    const file = join(folder, 'a.db');
    const built = pathToFileURL(join(projectRoot, 'dist/src/storage/sqlite/sqlite-storage.js')).href;
    const program = `import { openSqliteStorage } from ${JSON.stringify(built)};
      await (await openSqliteStorage(${JSON.stringify(file)})).close();`;
    const codes = await Promise.all(
      [1, 2, 3].map(async () => {
        const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: 'inherit' });
        return (await once(child, 'close'))[0];
      }),
    );
    expect(codes).toEqual([0, 0, 0]);
    const db = openSqlite(file);
    expect(applied(db)).toEqual(all);
    expect(schemaOf(db)).toEqual(schemaOf(fresh));
    await db.close();
    rmSync(folder, { recursive: true, force: true });
  });
});
