import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rankOf } from '../src/fanout/push.ts';
import { projectRoot } from '../src/project-root.ts';
import { backupSqlite, restoreSqlite } from '../src/storage/sqlite/backup.ts';
import { openSqlite } from '../src/storage/sqlite/database.ts';
import { migrate } from '../src/storage/sqlite/migrations.ts';
import { type CountingSink, startCountingSink } from './helpers/counting-sink.ts';
import { type Service, startService } from './helpers/start-service.ts';

const people = 400;
const within = 120_000;

const until = async (what: string, ask: () => Promise<boolean> | boolean): Promise<void> => {
  const giveUp = Date.now() + within;
  while (!(await ask())) {
    if (Date.now() > giveUp) throw new Error(`waited too long until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};

describe('backup and restore', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'bellman-backup-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const at = (name: string): string => join(folder, name);

  it('copy what was committed, while others have the database open', async () => {
    const db = openSqlite(at('a.db'));
    await migrate(db);
    db.prepare("INSERT INTO settings (name, value) VALUES ('x', '1')").run();
    const backup = backupSqlite(at('a.db'), at('b.db'));
    expect(backup).toMatchObject({ quickCheck: 'ok', wrapped: null });
    expect(backup.version).toBe(backup.newest);
    expect(() => backupSqlite(at('a.db'), at('b.db'))).toThrow(/there already/);
    db.prepare("UPDATE settings SET value = '2' WHERE name = 'x'").run();
    expect(() => restoreSqlite(at('b.db'), at('a.db'), at('kept.db'))).toThrow(/stop the service/);
    expect(existsSync(at('a.db.part'))).toBe(false);
    expect(restoreSqlite(at('b.db'), at('c.db'), at('kept.db')).kept).toBeNull();
    await db.close();
    const restored = openSqlite(at('c.db'));
    expect(restored.prepare("SELECT value FROM settings WHERE name = 'x'").get()).toEqual({ value: '1' });
    await restored.close();
  });

  it('leave nothing that another account of the machine could read, whatever its umask', async () => {
    const umask = process.umask(0);
    try {
      const db = openSqlite(at('a.db'));
      await migrate(db);
      backupSqlite(at('a.db'), at('b.db'));
      restoreSqlite(at('b.db'), at('c.db'), at('kept.db'));
      const open = readdirSync(folder).filter((name) => (statSync(at(name)).mode & 0o077) !== 0);
      expect([readdirSync(folder).sort(), open]).toEqual([['a.db', 'a.db-shm', 'a.db-wal', 'b.db', 'c.db'], []]);
      await db.close();
    } finally {
      process.umask(umask);
    }
  });

  it('refuse what is no sound database of this program', async () => {
    writeFileSync(at('text'), 'This is no database. '.repeat(200));
    expect(() => restoreSqlite(at('text'), at('a.db'), at('k'))).toThrow();
    expect(() => restoreSqlite(at('nowhere'), at('a.db'), at('k'))).toThrow(/not there/);
    const db = openSqlite(at('new.db'));
    await migrate(db);
    db.prepare('INSERT INTO migrations VALUES (9999, 0)').run();
    await db.close();
    expect(() => restoreSqlite(at('new.db'), at('a.db'), at('k'))).toThrow(/newer version/);
    expect(existsSync(at('a.db'))).toBe(false);
  });

  /** Runs a command of the operator over the service's own data. */
  const command = async (name: 'backup' | 'restore', file: string): Promise<{ code: unknown; errors: string }> => {
    const child = spawn(process.execPath, [join(projectRoot, `dist/scripts/${name}.js`), file], {
      env: { PATH: process.env.PATH, DATA_DIR: at('data') },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => {
      errors += chunk.toString();
    });
    const [code] = await once(child, 'close');
    return { code, errors };
  };

  const publish = async (service: Service): Promise<string> => {
    const lines = Array.from({ length: people }, (_, n) =>
      JSON.stringify({ email: `person${n}@example.org`, verified: true, follow: [{ topic: 'services' }] }),
    );
    await service.api('POST', '/subscribers/import', lines.join('\n'));
    const item = { title: 'Water is off', summary: 'On Wednesday.', language: 'en', topics: ['services'] };
    const created = (await service.api('POST', '/items', item)).body as { id: string };
    const published = await service.api('POST', `/items/${created.id}/publish`);
    return (published.body as { push: { id: string } }).push.id;
  };

  /** Ids of the messages that a backup knows to have been sent. */
  const toldIn = async (file: string): Promise<string[]> => {
    const db = openSqlite(file);
    const rows = db.prepare('SELECT message FROM deliveries WHERE state = ?').all(rankOf('sent'));
    await db.close();
    return rows.map((row) => String(row.message));
  };

  it(
    'bring a push back that was under way: it finishes, and nobody is told again whom the backup knows to have been told',
    async () => {
      const sink: CountingSink = await startCountingSink(100);
      const start = () => startService({ dataDir: at('data'), env: { EMAIL_URL: sink.url } });
      let service = await start();
      const push = await publish(service);
      await until('mails are in flight', () => sink.total() >= 100);
      expect(await command('backup', at('backup.db'))).toEqual({ code: 0, errors: '' });
      const atBackup = await toldIn(at('backup.db'));
      await until('more has gone', () => sink.total() >= 220);
      expect(await command('restore', at('backup.db'))).toMatchObject({
        code: 1,
        errors: expect.stringMatching(/stop the service/),
      });
      await service.killAll();
      expect(await command('restore', at('backup.db'))).toEqual({ code: 0, errors: '' });
      expect(readdirSync(at('data')).some((name) => name.startsWith('bellman.db.before-'))).toBe(true);

      service = await start();
      const now = async () =>
        (await service.api('GET', `/pushes/${push}`)).body as { state: string; counts: Record<string, number> };
      await until('the push is done', async () => (await now()).state === 'done');
      expect((await now()).counts).toMatchObject({ sent: people, planned: 0, sending: 0, failed: 0 });

      expect(atBackup.length).toBeGreaterThan(0);
      expect(atBackup.length).toBeLessThan(people);
      expect(sink.received.size).toBe(people);
      const copies = [...sink.received.values()];
      // whoever is told twice is told by the same message
      expect(copies.filter((ids) => new Set(ids).size !== 1)).toEqual([]);
      const knownTwice = copies.filter((ids) => ids.length > 1 && atBackup.some((id) => ids[0]?.includes(id)));
      expect(knownTwice).toEqual([]);
      expect(copies.filter((ids) => atBackup.some((id) => ids[0]?.includes(id)))).toHaveLength(atBackup.length);
      expect(copies.filter((ids) => ids.length > 2)).toEqual([]);
      await service.stop();
      await sink.close();
    },
    within * 2,
  );
});
