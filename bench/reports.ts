import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { realEdges } from '../src/edges.ts';
import { makeReportCounter } from '../src/reports/report-counter.ts';
import { openSqliteStorage } from '../src/storage/sqlite/sqlite-storage.ts';
import { type Service, startService } from '../test/helpers/start-service.ts';
import { type Scale, seedLedger } from './reports/seed.ts';
import { median, printTable } from './table.ts';

/**
 * Reports over a ledger of 1,000,000 deliveries of 400 pushes in 90 days, 374 regions, with what came back: how long all of it
 * takes to count, and how long each report takes over HTTP from a started service, one call after the other. `--quick`: 50,000.
 */
const quick = process.argv.includes('--quick');
const keep = process.argv.find((argument) => argument.startsWith('--keep='))?.slice('--keep='.length);
const scale: Scale = {
  people: quick ? 5_000 : 50_000,
  pushes: quick ? 50 : 400,
  peopleAPush: quick ? 1_000 : 2_500,
  days: 90,
  now: Date.now(),
  seed: 4_711,
};
const key = 'an-admin-key-for-the-bench';
const headers = { authorization: `Bearer ${key}` };
const calls = quick ? 50 : 300;
const wantedMs = 100;
const reports = [
  ...['funnel', 'funnel?by=channel', 'funnel?by=topic', 'funnel?by=rule', 'funnel?by=region', 'funnel?by=hour'],
  ...['rules', 'coverage', 'satisfaction', 'satisfaction?by=item', 'funnel?by=region&format=csv'],
];

const percentile = (values: number[], share: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN;

const seconds = async (work: () => Promise<unknown>): Promise<number> => {
  const startedAt = performance.now();
  await work();
  return (performance.now() - startedAt) / 1_000;
};

const fill = async (dataDir: string): Promise<void> => {
  const stores = await openSqliteStorage(join(dataDir, 'bellman.db'));
  try {
    const seeded = await seconds(() => seedLedger(stores, scale));
    const counter = makeReportCounter(stores, { edges: realEdges, timeZone: 'Asia/Shanghai' });
    const counted = await seconds(() => counter.rebuild(new AbortController().signal));
    const rows = scale.pushes * scale.peopleAPush;
    process.stdout.write(
      `${rows.toLocaleString('en')} deliveries seeded in ${seeded.toFixed(0)} s, counted in ${counted.toFixed(1)} s: ` +
        `${((counted * 1_000_000) / rows).toFixed(0)} µs a person, beside the sending\n\n`,
    );
  } finally {
    await stores.close();
  }
};

/** The first call adds up; the others find what it added up, until something is counted. */
const measure = async (service: Service, report: string): Promise<{ first: number; times: number[] }> => {
  const times: number[] = [];
  for (let call = 0; call <= calls; call += 1) {
    const startedAt = performance.now();
    const response = await fetch(`${service.url}/api/v1/reports/${report}`, { headers });
    const { status } = response;
    await response.arrayBuffer();
    if (status !== 200) throw new Error(`${report} answered ${status}`);
    times.push(performance.now() - startedAt);
  }
  const [first = Number.NaN, ...others] = times;
  return { first, times: others };
};

const warmUp = 20;

const dataDir = keep ?? mkdtempSync(join(tmpdir(), 'bellman-reports-'));
await fill(dataDir);
const service = await startService({ dataDir, env: { ADMIN_API_KEY: key } });
try {
  const rows: (string | number)[][] = [];
  // the process, not the reports: a span of its own has nothing added up yet
  for (let call = 0; call < warmUp; call += 1)
    for (const report of reports)
      await fetch(`${service.url}/api/v1/reports/${report}${report.includes('?') ? '&' : '?'}from=2000-01-01`, {
        headers,
      });
  for (const report of reports) {
    const { first, times } = await measure(service, report);
    const p99 = percentile(times, 0.99);
    rows.push([
      `/reports/${report}`,
      first.toFixed(1),
      median(times).toFixed(1),
      p99.toFixed(1),
      p99 < wantedMs ? 'yes' : 'NO',
    ]);
  }
  printTable(['report', 'first ms', 'median ms', 'p99 ms', `p99 under ${wantedMs} ms`], rows);
} finally {
  await service.stop({ keep: true });
  if (keep === undefined) rmSync(dataDir, { recursive: true, force: true });
}
