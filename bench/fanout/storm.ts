import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seedCatalogue } from '../../src/catalogue/catalogue-service.ts';
import { openSqlite } from '../../src/storage/sqlite/database.ts';
import { openSqliteStorage } from '../../src/storage/sqlite/sqlite-storage.ts';
import { type Service, startService } from '../../test/helpers/start-service.ts';
import { printTable } from '../table.ts';
import { notice } from './bare.ts';
import { pages } from './pages.ts';
import { type Push, workerPeak } from './town.ts';

/**
 * A large push beside everything else: how long planning takes, how pages answer meanwhile, and how soon an emergency to
 * everyone begins to leave. The people are written straight into the tables, since it is not the import that is measured; their
 * addresses are those of nobody, so every row of the bulk push is settled as withheld.
 */
const quick = process.argv.includes('--quick');
const crowd = quick ? 100_000 : 1_000_000;
const reachable = 2_000;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** `crowd` more people who follow "services", in one statement a table. */
const seedCrowd = async (dataDir: string): Promise<void> => {
  const storage = await openSqliteStorage(join(dataDir, 'bellman.db'));
  await seedCatalogue(storage.catalogue);
  await storage.close();
  const db = openSqlite(join(dataDir, 'bellman.db'));
  const { no } = db.prepare(`SELECT no FROM follows WHERE source = 'subscription:topic:services'`).get() ?? {};
  const { last } = db.prepare('SELECT max(ordinal) AS last FROM subscribers').get() ?? {};
  const each = 20_000;
  const numbers = `WITH RECURSIVE n (i) AS (SELECT ?1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2) SELECT`;
  const people = db.prepare(
    `INSERT INTO subscribers (ordinal, id, locale, attributes, personalisation, created_at)
     ${numbers} i, 'crowd-' || i, 'en', '{}', 0, 0 FROM n`,
  );
  const follows = db.prepare(
    `INSERT INTO subscriptions (follow, subscriber, id, pace, origin, created_at)
     ${numbers} ?3, i, 'crowd-' || i, 0, 0, 0 FROM n`,
  );
  for (let from = Number(last) + 1; from <= Number(last) + crowd; from += each) {
    const to = Math.min(from + each, Number(last) + crowd + 1) - 1;
    await db.write(() => people.run(from, to));
    await db.write(() => follows.run(from, to, no));
  }
  await db.close();
};

const settled = ({ counts }: Push): number =>
  Object.entries(counts)
    .filter(([state]) => !['planned', 'sending', 'matched'].includes(state))
    .reduce((sum, [, people]) => sum + people, 0);

const pushed = async (service: Service, urgency: string): Promise<string> => {
  const item = { ...notice, topics: ['services'], urgency };
  const { id } = (await service.api('POST', '/items', item)).body as { id: string };
  return ((await service.api('POST', `/items/${id}/publish`)).body as { push: Push }).push.id;
};

const look = async (service: Service, id: string): Promise<Push & { plannedAt: string | null }> =>
  (await service.api('GET', `/pushes/${id}`)).body as Push & { plannedAt: string | null };

const untilPush = async <T>(
  service: Service,
  id: string,
  found: (push: Push & { plannedAt: string | null }) => T | null,
) => {
  for (;;) {
    const answer = found(await look(service, id));
    if (answer !== null) return answer;
    await sleep(20);
  }
};

/** Starts on a data folder with `reachable` people whose messages go to the outbox, and the crowd behind them. */
const startTown = async (dataDir: string): Promise<Service> => {
  const first = await startService({ dataDir });
  const lines = Array.from({ length: reachable }, (_, n) =>
    JSON.stringify({ email: `person${n}@example.org`, verified: true, follow: [{ topic: 'services' }] }),
  );
  await first.api('POST', '/subscribers/import', lines.join('\n'));
  await first.stop({ keep: true });
  await seedCrowd(dataDir);
  return startService({ dataDir });
};

export const storms = async (): Promise<void> => {
  const dataDir = mkdtempSync(join(tmpdir(), 'bellman-bench-'));
  const service = await startTown(dataDir);
  try {
    const idle = await pages(service);
    const bulk = await pushed(service, 'routine');
    const planned = await untilPush(service, bulk, (push) =>
      push.plannedAt ? Date.parse(push.plannedAt) - Date.parse(push.createdAt) : null,
    );
    const peak = workerPeak(service);
    const busy = await pages(service);
    const before = await look(service, bulk);
    const startedAt = performance.now();
    const alarm = await pushed(service, 'emergency');
    const first = await untilPush(service, alarm, (push) =>
      (push.counts.sent ?? 0) > 0 ? performance.now() - startedAt : null,
    );
    const all = await untilPush(service, alarm, (push) =>
      (push.counts.sent ?? 0) >= reachable ? performance.now() - startedAt : null,
    );
    const after = await look(service, bulk);
    const ms = (value: number): string => value.toFixed(0);
    printTable(
      [`a push to ${(crowd + reachable).toLocaleString('en')} people`, ''],
      [
        ['planned in, ms', ms(planned)],
        ['worker peak when planned, MB', ms(peak)],
        ['topic page idle, p50 / p99 ms', idle.map(ms).join(' / ')],
        ['topic page during the push, p50 / p99 ms', busy.map(ms).join(' / ')],
        ['settled when the emergency came', settled(before).toLocaleString('en')],
        ['an emergency to the same people, first sent after ms', ms(first)],
        [`the ${reachable.toLocaleString('en')} whom it reaches, after ms`, ms(all)],
        ['settled of the bulk push meanwhile', (settled(after) - settled(before)).toLocaleString('en')],
        ['worker peak, MB', ms(workerPeak(service))],
      ],
    );
    for (const id of [bulk, alarm]) await service.api('POST', `/pushes/${id}/cancel`);
  } finally {
    await service.stop({ keep: true });
    rmSync(dataDir, { recursive: true, force: true });
  }
};
