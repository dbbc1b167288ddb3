import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { realEdges } from '../src/edges.ts';
import { planBatchId } from '../src/fanout/push.ts';
import { openMongoStorage } from '../src/storage/mongo/mongo-storage.ts';
import { openSqliteStorage } from '../src/storage/sqlite/sqlite-storage.ts';
import type { Storage } from '../src/storage/storage.ts';
import {
  makeBatch,
  makeDelivery,
  makeDeparture,
  makeNotice,
  makeOutcome,
  makePush,
  range,
} from '../test/helpers/fanout-builders.ts';
import { printTable } from './table.ts';

/**
 * What the store does for a fan-out, a verb at a time and in the groups that a worker uses, on SQLite (a file, synchronous=FULL)
 * and, where MONGODB_URI names one, on a MongoDB-compatible server.
 */
const quick = process.argv.includes('--quick');
const batchOf = 1_000;
const inChunk = 250;
const inTurn = 200;

type Verb = { name: string; done: number; ms: number };

const timed = async (name: string, done: number, work: () => Promise<unknown>): Promise<Verb> => {
  const startedAt = performance.now();
  await work();
  return { name, done, ms: performance.now() - startedAt };
};

const chunked = async <T>(list: T[], size: number, work: (part: T[]) => Promise<unknown>): Promise<void> => {
  for (let at = 0; at < list.length; at += size) await work(list.slice(at, at + size));
};

/** One push of `people`, from its batches to its last outcome. */
const run = async ({ pushes, ledger }: Pick<Storage, 'pushes' | 'ledger'>, people: number): Promise<Verb[]> => {
  const push = makePush();
  const inBatch = Math.min(batchOf, people);
  await pushes.insert(push);
  const batches = Array.from({ length: people / inBatch }, (_, k) =>
    makeBatch({ id: planBatchId(push.id, k), ordinals: range(k * inBatch + 1, (k + 1) * inBatch) }),
  );
  const laid = await timed('batches laid/s', batches.length, () => pushes.insertBatches(batches));
  const leases: { batch: string; token: string; ordinals: number[] }[] = [];
  const claimed = await timed('claims/s', batches.length, async () => {
    for (const n of batches.keys()) {
      const token = `token-${n}`;
      const claim = await pushes.claim(token, ['at-once']);
      if (claim) leases.push({ batch: claim.batch.id, token, ordinals: claim.batch.ordinals });
    }
  });
  const each = async (size: number, work: (lease: (typeof leases)[0], part: number[]) => Promise<unknown>) => {
    for (const lease of leases) await chunked(lease.ordinals, size, (part) => work(lease, part));
  };
  const at = Date.now();
  const taken = await timed('notices taken/s', people, () =>
    each(inChunk, (lease, part) =>
      ledger.takeNotices(
        lease,
        push.id,
        part.map((ordinal) => ({ ...makeNotice({ ordinal }), class: 'must' as const })),
        at,
      ),
    ),
  );
  const inserted = await timed('ledger inserts/s', people, () =>
    each(inChunk, (lease, part) =>
      ledger.insertDeliveries(
        lease,
        part.map((ordinal) => makeDelivery({ ordinal })),
      ),
    ),
  );
  const departed = await timed('departures/s', people, () =>
    each(inTurn, (lease, part) =>
      ledger.depart(
        lease,
        part.map((ordinal) => makeDeparture(ordinal)),
        at,
      ),
    ),
  );
  const settled = await timed('outcomes/s', people, () =>
    each(inTurn, (lease, part) =>
      ledger.settle(
        lease,
        part.map((ordinal) => makeOutcome(makeDeparture(ordinal))),
      ),
    ),
  );
  const counted = await timed('people counted/s', people, () =>
    chunked(batches, 1, ([batch]) => ledger.count(push.id, batch?.ordinals ?? [])),
  );
  const { sent } = await ledger.count(push.id, range(1, people));
  if (sent !== people) throw new Error(`${sent} of ${people} were settled`);
  return [laid, claimed, taken, inserted, departed, settled, counted];
};

const onSqlite = async (people: number): Promise<Verb[]> => {
  const dir = mkdtempSync(join(tmpdir(), 'bellman-bench-'));
  const storage = await openSqliteStorage(join(dir, 'bench.db'));
  try {
    return await run(storage, people);
  } finally {
    await storage.close();
    rmSync(dir, { recursive: true, force: true });
  }
};

/** In a database of its own; dropping it is left to whoever runs the server, since the port has no such verb. */
const onMongo = async (uri: string, people: number): Promise<Verb[]> => {
  const url = new URL(uri);
  url.pathname = `/bellman_bench_${Date.now()}`;
  const storage = await openMongoStorage(url.toString(), realEdges);
  try {
    return await run(storage, people);
  } finally {
    await storage.close();
  }
};

const perSecond = ({ done, ms }: Verb): string => Math.round((done / ms) * 1000).toLocaleString('en');

const { MONGODB_URI: uri } = process.env;
const [many, some] = quick ? [10_000, 250] : [200_000, 500];
const sqlite = await onSqlite(many);
const mongo = uri ? await onMongo(uri, some) : [];
const people = (count: number): string => `${count.toLocaleString('en')} people`;
printTable(
  ['verb', `SQLite, ${people(many)}`, ...(uri ? [`MongoDB, ${people(some)}`] : [])],
  sqlite.map((verb, at) => [verb.name, perSecond(verb), ...(mongo[at] ? [perSecond(mongo[at])] : [])]),
);
if (uri)
  process.stdout.write(
    'FerretDB 1.24 reads a whole collection for every filter that is more than one _id of text: a verb costs people x rows there.\n',
  );
else process.stdout.write('MONGODB_URI names no server: SQLite alone\n');
