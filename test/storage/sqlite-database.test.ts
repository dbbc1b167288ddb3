import { bind, bytes, openSqlite, type SqliteDatabase } from '../../src/storage/sqlite/database.ts';
import { migrate } from '../../src/storage/sqlite/migrations.ts';
import { openFile } from '../helpers/open-sqlite.ts';

describe('the binding layer over libsql', () => {
  let db: SqliteDatabase;
  beforeEach(() => {
    db = openSqlite(':memory:');
    db.exec('CREATE TABLE kept (id INTEGER PRIMARY KEY, value ANY) STRICT');
  });
  afterEach(() => db.close());

  const roundTrip = (value: Parameters<typeof bind>[0]) => {
    db.prepare('INSERT INTO kept (value) VALUES (?)').run(value);
    return db.prepare('SELECT value, typeof(value) AS type FROM kept ORDER BY id DESC LIMIT 1').get();
  };

  it.each([
    ['true', true, 1, 'integer'],
    ['false', false, 0, 'integer'],
    ['a whole number', 42, 42, 'integer'],
    ['the largest whole number', Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, 'integer'],
    ['a fraction', 1.5, 1.5, 'real'],
    ['a date', new Date(1_781_064_000_123), 1_781_064_000_123, 'integer'],
    ['null', null, null, 'null'],
    ['undefined', undefined, null, 'null'],
    ['text beyond ASCII', '青石镇 🔔', '青石镇 🔔', 'text'],
  ])('keeps %s', (_name, value, kept, type) => expect(roundTrip(value)).toEqual({ value: kept, type }));

  it('keeps bytes', () => {
    const row = roundTrip(new Uint8Array([0, 1, 255]));
    expect([...bytes(row?.value)]).toEqual([0, 1, 255]);
  });

  it('refuses NaN instead of storing NULL', () => expect(() => bind(Number.NaN)).toThrow(TypeError));

  it('answers a row without libsql’s own column, and undefined for none', () => {
    expect(Object.keys(roundTrip(1) ?? {})).toEqual(['value', 'type']);
    expect(db.prepare('SELECT value FROM kept WHERE id = -1').get()).toBeUndefined();
  });

  it('rolls a failed transaction back whole', async () => {
    const failing = db.write(() => {
      db.prepare('INSERT INTO kept (id) VALUES (7)').run();
      db.prepare('INSERT INTO kept (id) VALUES (7)').run();
    });
    await expect(failing).rejects.toThrow(/UNIQUE/);
    expect(db.prepare('SELECT count(*) AS n FROM kept').get()).toEqual({ n: 0 });
  });

  it('gives up on a lock that lasts, as the store being unavailable', async () => {
    const { handles, close } = await openFile(1);
    const [first] = handles as [SqliteDatabase];
    const file = String(first.prepare('PRAGMA database_list').get()?.file);
    const second = openSqlite(file, { busyMs: 200 });
    first.exec('BEGIN IMMEDIATE');
    await expect(second.write(() => undefined)).rejects.toMatchObject({ code: 'store-unavailable' });
    first.exec('ROLLBACK');
    await expect(second.write(() => 1)).resolves.toBe(1);
    await second.close();
    await close();
  });
});

describe('migrations', () => {
  it('may run twice, and from two handles at once', async () => {
    const { handles, close } = await openFile(2);
    await Promise.all(handles.map((db) => migrate(db)));
    const done = handles[0]?.prepare('SELECT id FROM migrations ORDER BY id').all() ?? [];
    expect(done.length).toBeGreaterThan(0);
    expect(done.map(({ id }) => id)).toEqual(done.map((_, index) => index + 1));
    await close();
  });
});
