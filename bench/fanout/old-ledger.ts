import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqlite } from '../../src/storage/sqlite/database.ts';
import { startService } from '../../test/helpers/start-service.ts';
import { median, printTable } from '../table.ts';
import { smtpConnections, startSink } from './bare.ts';
import { pages } from './pages.ts';
import { importPeople, publish, workerPeak } from './town.ts';

/**
 * The same push on a fresh ledger and on one that is years old. The old rows are copies of a real push's, under pushes, items,
 * notices and messages of their own, written straight into the tables.
 */
const quick = process.argv.includes('--quick');
const people = quick ? 5_000 : 20_000;
const oldRows = quick ? 500_000 : 20_000_000;
const rounds = 3;
/** Copies in one transaction. */
const copiesAtOnce = 10;

const copies = `WITH RECURSIVE k (i) AS (SELECT ?1 UNION ALL SELECT i + 1 FROM k WHERE i < ?2)`;
/** How each table's rows of the last push and its item become those of copy `i`. */
const copying = [
  `INSERT INTO ledger_items (no, id) ${copies} SELECT ?3 + i, 'old-' || i FROM k`,
  `INSERT INTO pushes (no, id, item, version, lane, state, audience, plan, matched, by_source, created_at, planned_at, finished_at)
   ${copies} SELECT ?4 + i, 'old-' || i, 'old-' || i, version, lane, state, audience, plan, matched, by_source, created_at, planned_at,
     finished_at FROM k JOIN pushes p ON p.no = ?4`,
  `INSERT INTO batches (id, kind, push, lane, ordinals, first, last, people, keys, open, counts)
   ${copies} SELECT 'old-' || i || '-' || b.no, kind, ?4 + i, lane, ordinals, first, last, people, keys, open, counts
   FROM k JOIN batches b ON b.push = ?4`,
  `INSERT INTO notices ${copies} SELECT ?3 + i, n.version, n.ordinal, ?4 + i, n.class, n.state, n.channel
   FROM k JOIN notices n ON n.item = ?3`,
  `INSERT INTO deliveries ${copies} SELECT ?4 + i, d.ordinal, d.channel, d.state, d.code, d.reasons, d.class, d.revision, d.attempts,
     d.due_at, d.at, substr('00000' || i, -5) || substr(d.message, 6), d.holder
   FROM k JOIN deliveries d ON d.push = ?4`,
  `INSERT INTO messages (id, kind, push, ordinal, channel, template, created_at, attempts)
   ${copies} SELECT substr('00000' || i, -5) || substr(m.id, 6), kind, ?4 + i, m.ordinal, m.channel, m.template, m.created_at, m.attempts
   FROM k JOIN messages m ON m.push = ?4`,
];

/** Copies the newest push until the ledger holds `oldRows`; the index of people is built anew, which spares hours. */
const makeOld = async (dataDir: string): Promise<void> => {
  const db = openSqlite(join(dataDir, 'bellman.db'));
  const { no: push, item } = db.prepare('SELECT no, item FROM pushes ORDER BY no DESC LIMIT 1').get() ?? {};
  const { no: first } = db.prepare('SELECT no FROM ledger_items WHERE id = ?').get(item) ?? {};
  const { sql: byPerson } = db.prepare(`SELECT sql FROM sqlite_master WHERE name = 'deliveries_of_person'`).get() ?? {};
  db.exec('PRAGMA synchronous = OFF');
  db.exec('DROP INDEX deliveries_of_person');
  const statements = copying.map((sql) => db.prepare(sql));
  const all = Math.ceil(oldRows / people);
  for (let from = 1; from <= all; from += copiesAtOnce)
    await db.write(() => {
      const range = [from, Math.min(from + copiesAtOnce - 1, all)];
      for (const statement of statements) statement.run(...range, first, push);
    });
  db.exec(String(byPerson));
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  await db.close();
};

const row = async (name: string, dataDir: string, env: Record<string, string>, warm: boolean): Promise<string[]> => {
  const service = await startService({ dataDir, env });
  try {
    if (warm)
      await importPeople(
        service,
        people,
        (n) => ({ email: `person${n}@example.org` }),
        () => ['services'],
      );
    await publish(service, 'services', people);
    const idle = await pages(service);
    const rates: number[] = [];
    for (let round = 0; round < rounds; round += 1) rates.push(await publish(service, 'services', people));
    const [pushing, busy] = await Promise.all([publish(service, 'services', people), pages(service)]);
    if (!pushing) throw new Error('the push took no time');
    const whole = (value: number): string => value.toFixed(0);
    return [
      name,
      whole(median(rates)),
      (1_000 / median(rates)).toFixed(3),
      idle.map(whole).join(' / '),
      busy.map(whole).join(' / '),
      whole(workerPeak(service)),
      whole(statSync(join(dataDir, 'bellman.db')).size / 1e6),
    ];
  } finally {
    await service.stop({ keep: true });
  }
};

export const oldLedger = async (): Promise<void> => {
  const dataDir = mkdtempSync(join(tmpdir(), 'bellman-bench-'));
  const sink = await startSink('smtp-sink.js');
  const env = { EMAIL_URL: `smtp://${sink.address}?pool=${smtpConnections}` };
  try {
    const fresh = await row('fresh', dataDir, env, true);
    await makeOld(dataDir);
    const old = await row(`${oldRows.toLocaleString('en')} rows`, dataDir, env, false);
    const header = ['ledger', 'emails/s', 'ms each', 'page idle, ms', 'page during a push, ms', 'peak MB', 'file MB'];
    printTable(header, [fresh, old]);
  } finally {
    sink.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
};
