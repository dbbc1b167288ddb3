import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seedCalendar } from '../../src/calendar/calendar-service.ts';
import { seedCatalogue } from '../../src/catalogue/catalogue-service.ts';
import { makeClosers } from '../../src/closers.ts';
import { makeWorkerParts } from '../../src/compose.ts';
import { type Config, readConfig } from '../../src/config.ts';
import { type Edges, newId, realEdges } from '../../src/edges.ts';
import { lanes } from '../../src/fanout/push.ts';
import { makeLog } from '../../src/log.ts';
import type { Actor } from '../../src/publishing/item.ts';
import { loadKeyring } from '../../src/secret.ts';
import { makeServices } from '../../src/services.ts';
import { openSqlite, type SqliteDatabase } from '../../src/storage/sqlite/database.ts';
import { migrate } from '../../src/storage/sqlite/migrations.ts';
import { sqliteStorage } from '../../src/storage/sqlite/sqlite-storage.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { openMemory } from './open-sqlite.ts';

export const publisher: Actor = { staff: 'publisher', roles: ['publisher'], departments: [] };

const openStores = async ({ file, storage }: TownOptions, edges: Edges) => {
  if (storage) return { db: undefined as unknown as SqliteDatabase, stores: await storage(edges) };
  const db = file === undefined ? await openMemory() : openSqlite(file);
  if (file !== undefined) await migrate(db);
  return { db, stores: sqliteStorage(db) };
};

export type TownOptions = {
  env?: Record<string, string>;
  startAt?: string;
  file?: string;
  /** How long providers are waited for, in ms. */
  limitMs?: number;
  /** Another storage than SQLite; `db` is not there then. */
  storage?: (edges: Edges) => Promise<Storage>;
};

/** A whole service in this process on a real SQLite store, with the clock in the test's hand and no loop running by itself. */
export const makeTown = async (options: TownOptions = {}) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'bellman-town-'));
  let now = Date.parse(options.startAt ?? '2026-06-10T04:00:00Z');
  const start = now;
  const edges: Edges = {
    ...realEdges,
    now: () => now,
    monotonic: () => realEdges.monotonic() + Math.max(0, now - start),
  };
  const config: Config = readConfig({
    DATA_DIR: dataDir,
    PUBLIC_URL: 'http://localhost:3000',
    SECRET: 'a secret for tests only',
    REVIEW: 'off',
    WEB_PUSH: 'outbox',
    LOG_LEVEL: 'silent',
    LEASE_MS: '2000',
    ...options.env,
  });
  const log = makeLog(config.logLevel);
  const tools = { edges, log, limitMs: options.limitMs };
  const closers = makeClosers();
  const { db, stores } = await openStores(options, edges);
  closers.add(() => stores.close());
  await seedCatalogue(stores.catalogue);
  await seedCalendar(stores.calendar);
  const keyring = await loadKeyring(stores.access, config.secret ?? '');
  const services = makeServices(stores, { config, edges, log, keyring, wake: () => undefined });
  closers.add(services.audienceIndex.close);
  await services.audienceIndex.caughtUp();
  const parts = await makeWorkerParts(config, tools, services, closers);
  const token = newId(edges);

  /** One round of everything a worker does; answers how much there was. */
  const round = async (): Promise<number> => {
    let done = await parts.duties.tick();
    done += await parts.deliverTransactional(token, new AbortController().signal);
    done += await parts.deliverWebhooks(new AbortController().signal);
    done += (await parts.deliverPosts?.(new AbortController().signal)) ?? 0;
    const claimToken = newId(edges);
    for (
      let claim = await stores.pushes.claim(claimToken, [...lanes]);
      claim;
      claim = await stores.pushes.claim(claimToken, [...lanes])
    ) {
      // what was given back is left to the next round, as a worker would after a pause
      if (!(await parts.runner.run(claim, claimToken, () => false))) break;
      done += 1;
    }
    return done;
  };

  return {
    ...services,
    db,
    config,
    dataDir,
    parts,
    now: () => now,
    /** Worker parts as of a new process. */
    restarted: () => makeWorkerParts(config, tools, services, closers),
    /** Moves the clock to a moment (ISO 8601) or on by milliseconds. */
    pass: (by: number | string) => {
      now = typeof by === 'string' ? Date.parse(by) : now + by;
    },
    /** Works until there is nothing left to do now. */
    drain: async (): Promise<void> => {
      for (let idle = 0, rounds = 0; idle < 2; rounds += 1) {
        if (rounds > 500) throw new Error('the worker never came to rest');
        idle = (await round()) === 0 ? idle + 1 : 0;
      }
    },
    /** Imports people, one object a line as POST /subscribers/import takes them. */
    people: async (list: object[]) => {
      const bytes = new TextEncoder().encode(list.map((one) => JSON.stringify(one)).join('\n'));
      const lines = async function* () {
        yield bytes;
      };
      return services.subscriptions.importPeople(lines());
    },
    close: async () => {
      await closers.closeAll();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
};

export type Town = Awaited<ReturnType<typeof makeTown>>;
