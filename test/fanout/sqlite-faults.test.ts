import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from '../../src/project-root.ts';
import { openSqlite } from '../../src/storage/sqlite/database.ts';
import { countsOf, makeItemContent, makeResidents, publishIn, rowsOf } from '../helpers/published.ts';
import { startSmtpSink } from '../helpers/smtp-sink.ts';
import { makeTown, publisher, type Town } from '../helpers/town.ts';

const _hour = 3_600_000;

let closing: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const close of closing.reverse()) await close();
  closing = [];
});
const town = async (options: Parameters<typeof makeTown>[0] = {}): Promise<Town> => {
  const made = await makeTown(options);
  closing.push(made.close);
  return made;
};

describe('the database', () => {
  const onFile = async (): Promise<{ made: Town; file: string }> => {
    const folder = mkdtempSync(join(tmpdir(), 'bellman-fault-'));
    closing.push(() => rmSync(folder, { recursive: true, force: true }));
    const file = join(folder, 'bellman.db');
    return { made: await town({ file }), file };
  };

  it('that is full refuses with 503 in mind, loses nothing, and goes on where it was', async () => {
    const { made } = await onFile();
    await made.people(makeResidents(300));
    const { push } = await publishIn(made);
    await made.parts.duties.tick();
    const pages = Number(made.db.prepare('PRAGMA page_count').get()?.page_count);
    made.db.exec(`PRAGMA max_page_count = ${pages}`);
    await expect(
      made.publishing.create(makeItemContent({ body: 'long '.repeat(30_000) }), null, publisher),
    ).rejects.toMatchObject({
      code: 'store-unavailable',
    });
    const claim = await made.stores.pushes.claim('full', ['at-once']);
    const running = claim ? made.parts.runner.run(claim, 'full', () => false) : null;
    await new Promise((resolve) => setTimeout(resolve, 300));
    made.db.exec('PRAGMA max_page_count = 1073741823');
    await running;
    await made.drain();
    expect(await countsOf(made, push)).toEqual({ sent: 300 });
    expect(made.db.prepare('SELECT count(*) AS n FROM deliveries').get()?.n).toBe(300);
  }, 60_000);

  it('that is read-only refuses, and takes the write once it may', async () => {
    const { made } = await onFile();
    made.db.exec('PRAGMA query_only = 1');
    await expect(made.publishing.create(makeItemContent(), null, publisher)).rejects.toMatchObject({
      code: 'store-unavailable',
    });
    expect(await made.publishing.list({}, { cursor: null, limit: 10 })).toMatchObject({ rows: [] });
    made.db.exec('PRAGMA query_only = 0');
    expect(await made.publishing.create(makeItemContent(), null, publisher)).toMatchObject({ state: 'draft' });
  });

  it('that another process holds locked for a while is waited for without stopping the event loop', async () => {
    const { made, file } = await onFile();
    const other = openSqlite(file);
    closing.push(() => other.close());
    other.exec('BEGIN IMMEDIATE');
    let ticks = 0;
    const timer = setInterval(() => {
      ticks += 1;
      if (ticks === 15) other.exec('COMMIT');
    }, 100);
    const startedAt = performance.now();
    await made.publishing.create(makeItemContent(), null, publisher);
    clearInterval(timer);
    expect(performance.now() - startedAt).toBeGreaterThan(1_000);
    expect(ticks).toBeGreaterThanOrEqual(15);
  });
});

describe('a database that another process holds locked for four seconds', () => {
  const locker = `
    import Database from 'libsql';
    const db = new Database(process.argv[1]);
    db.exec('BEGIN IMMEDIATE');
    console.log('locked');
    setTimeout(() => { db.exec('COMMIT'); db.close(); }, 4000);`;

  it('holds up the push, not the event loop, and nobody is missed or told twice', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'bellman-locked-'));
    closing.push(() => rmSync(folder, { recursive: true, force: true }));
    const file = join(folder, 'bellman.db');
    const sink = await startSmtpSink();
    closing.push(sink.close);
    const made = await town({ file, env: { EMAIL_URL: `smtp://127.0.0.1:${sink.port}?pool=4` } });
    await made.people(makeResidents(200));
    const { push } = await publishIn(made);
    await made.parts.duties.tick();
    const other = spawn(process.execPath, ['--input-type=module', '-e', locker, file], {
      cwd: projectRoot,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(other, 'exit');
    await once(other.stdout, 'data');
    let ticks = 0;
    const timer = setInterval(() => {
      ticks += 1;
    }, 50);
    const startedAt = performance.now();
    await made.drain();
    clearInterval(timer);
    const took = performance.now() - startedAt;
    expect(await ended).toEqual([0, null]);
    expect(took).toBeGreaterThan(3_000);
    // a try for the lock holds the loop for 50 ms; a loop that were stopped would hardly tick
    expect(ticks).toBeGreaterThan(20);
    expect([await countsOf(made, push), sink.count(), (await rowsOf(made, push)).length]).toEqual([
      { sent: 200 },
      200,
      200,
    ]);
  }, 60_000);
});
