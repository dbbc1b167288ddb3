import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from '../src/project-root.ts';
import { openSqlite } from '../src/storage/sqlite/database.ts';
import { migrate } from '../src/storage/sqlite/migrations.ts';
import { startCountingSink } from './helpers/counting-sink.ts';

const doctor = async (env: Record<string, string>): Promise<{ code: unknown; out: string }> => {
  const child = spawn(process.execPath, [join(projectRoot, 'dist/scripts/doctor.js')], {
    env: { PATH: process.env.PATH, PUBLIC_URL: 'http://localhost:1', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
  });
  const [code] = await once(child, 'close');
  return { code, out };
};

describe('npm run doctor', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'bellman-doctor-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('probes the store and the mail server, and changes nothing', async () => {
    const db = openSqlite(join(folder, 'bellman.db'));
    await migrate(db);
    const sink = await startCountingSink(0);
    const { code, out } = await doctor({ DATA_DIR: folder, EMAIL_URL: sink.url });
    expect(out).toMatch(/^ok {4}storage {3}SQLite, .* sound/m);
    expect(out).toMatch(/^ok {4}smtp {6}127\.0\.0\.1:\d+ takes us$/m);
    expect(out).toMatch(/^ok {4}secret {4}nothing is sealed yet$/m);
    expect(out).toMatch(/^warn {2}service .*\n +-> /m);
    expect([code, sink.total(), existsSync(join(folder, 'secret'))]).toEqual([0, 0, false]);
    await sink.close();
    await db.close();
  });

  it('ends with 1 and says what to do where the service cannot work', async () => {
    const { code, out } = await doctor({ DATA_DIR: folder, EMAIL_URL: 'smtp://127.0.0.1:1', PORT: '3000' });
    expect(out).toMatch(/^fail {2}smtp {6}127\.0\.0\.1:1 does not take us .*\n +-> See that it runs/m);
    expect(code).toBe(1);
    const wrong = await doctor({ DATA_DIR: folder, PORT: 'x', LOCALE: 'y' });
    expect(wrong.out.match(/^fail {2}config/gm)).toHaveLength(2);
    expect(wrong.code).toBe(1);
  });

  it('looks at the rest where the configuration is wrong, and does not judge what it could not see', async () => {
    writeFileSync(join(folder, 'text.db'), 'This is no database. '.repeat(200));
    const { code, out } = await doctor({
      DATA_DIR: folder,
      DATABASE_URL: `sqlite:${join(folder, 'text.db')}`,
      EMAIL_URL: 'smtp://127.0.0.1:1',
      VAPID_PUBLIC_KEY: 'B'.repeat(87),
      LOCALE: 'y',
    });
    expect(out.match(/^(fail|warn) +\w+ /gm)?.map((line) => line.trim().replace(/ +/, ' '))).toEqual([
      ...['fail config', 'fail config', 'fail storage', 'warn secret', 'fail smtp', 'warn clock', 'warn service'],
    ]);
    expect(out).toMatch(/text\.db is not a sound database \(SQLITE_NOTADB\)\n +-> Put back a backup, or set DATA_DIR/);
    expect(code).toBe(1);
  });
});
