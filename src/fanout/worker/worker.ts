import { type Edges, newId } from '../../edges.ts';
import type { Log } from '../../log.ts';
import type { Storage } from '../../storage/storage.ts';
import { type Lane, lanes } from '../push.ts';
import type { BatchLease, Claim } from '../push-store.ts';
import type { BatchRunner } from './batch-runner.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { Duties } from './duties.ts';
import { makeLeaseWatch } from './lease.ts';

/** Batches under way at once, besides those of the emergency lane, which has places of its own. */
const places: { lanes: readonly Lane[]; count: number }[] = [
  { lanes: ['emergency'], count: 1 },
  { lanes, count: 2 },
];
const shortestPauseMs = 20;
const longestPauseMs = 500;
/** How long a worker that stops waits for sends under way before it aborts them; its process has ten seconds in all. */
const patienceMs = 5_000;

export type WorkerStores = Pick<Storage, 'pushes'>;
export type WorkerTools = {
  runner: BatchRunner;
  duties: Duties;
  dispatcher: Dispatcher;
  /** Sends transactional messages that are due; answers how many it handled. */
  deliverTransactional: (token: string, signal: AbortSignal) => Promise<number>;
  /** Tells webhooks what is due; answers how many it handled. */
  deliverWebhooks: (signal: AbortSignal) => Promise<number>;
  /** Posts what is due on the office's public account; null where there is none. */
  deliverPosts?: ((signal: AbortSignal) => Promise<number>) | null;
  edges: Edges;
  log: Log;
  leaseMs: number;
  patienceMs?: number;
};

/**
 * The loops of a worker process: claim batches and run them, do the duties if nobody else does, send transactional messages and
 * webhooks.
 * The store is polled with a short adaptive pause; `wake` ends a pause early.
 */
export const makeWorker = (stores: WorkerStores, tools: WorkerTools) => {
  const { edges, log, leaseMs } = tools;
  const stop = new AbortController();
  const token = newId(edges);
  const sleepers = new Set<() => void>();
  let impatience: NodeJS.Timeout | undefined;

  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const wakeUp = (): void => {
        clearTimeout(timer);
        sleepers.delete(wakeUp);
        resolve();
      };
      const timer = setTimeout(wakeUp, ms);
      sleepers.add(wakeUp);
    });

  /** Repeats `work` until stopped; pauses longer while it finds nothing. */
  const loop = async (name: string, work: () => Promise<number>): Promise<void> => {
    let idle = shortestPauseMs;
    while (!stop.signal.aborted) {
      let done = 0;
      try {
        done = await work();
      } catch (error) {
        log.error({ error, loop: name }, 'a loop of the worker failed; it goes on');
      }
      idle = done > 0 ? shortestPauseMs : Math.min(idle * 2, longestPauseMs);
      if (done === 0 && !stop.signal.aborted) await pause(idle);
    }
  };

  const batchWatch = makeLeaseWatch<BatchLease>(edges, leaseMs);
  const stale = new Map<string, BatchLease>();
  const mine = new Set<string>();

  const claim = async (wanted: readonly Lane[], claimToken: string): Promise<Claim | null> => {
    const free = await stores.pushes.claim(claimToken, [...wanted]);
    if (free) return free;
    for (const [id, seen] of stale) {
      if (!wanted.includes(seen.lane)) continue;
      stale.delete(id);
      const stolen = await stores.pushes.steal(seen, claimToken);
      if (stolen) {
        log.warn({ batch: id }, 'took over a batch whose worker has gone silent');
        return stolen;
      }
    }
    return null;
  };

  const runBatches = (wanted: readonly Lane[]): Promise<void> =>
    loop('batches', async () => {
      const claimToken = newId(edges);
      const claimed = await claim(wanted, claimToken);
      if (!claimed) return 0;
      mine.add(claimToken);
      const whole = await tools.runner.run(claimed, claimToken, () => stop.signal.aborted);
      mine.delete(claimToken);
      // what was given back is not taken up again without a pause
      if (!whole) return 0;
      wake();
      return 1;
    });

  const watchLeases = async (): Promise<number> => {
    const leases = (await stores.pushes.leases()).filter((lease) => !mine.has(lease.token));
    for (const seen of batchWatch.stale(leases)) stale.set(seen.id, seen);
    await pause(leaseMs / 4);
    return stale.size > 0 ? 1 : 0;
  };

  const dutyWatch = makeLeaseWatch(edges, leaseMs);
  let onDuty = false;
  const duties = async (): Promise<number> => {
    const hold = await stores.pushes.hold('duties', token);
    onDuty = hold.held;
    if (!hold.held) {
      const [gone] = dutyWatch.stale([hold.seen]);
      return gone && (await stores.pushes.takeOver(gone, token)) ? 1 : 0;
    }
    const done = await tools.duties.tick();
    if (done > 0) wake();
    return done;
  };

  /** Beside the duties, one of which may be waiting for the index. */
  const emergencies = async (): Promise<number> => {
    const done = onDuty ? await tools.duties.urgent() : 0;
    if (done > 0) wake();
    return done;
  };

  const wake = (): void => {
    for (const wakeUp of [...sleepers]) wakeUp();
  };

  return {
    wake,
    /** Runs until `stop`; resolves when everything under way has come to rest. */
    run: async (): Promise<void> => {
      await Promise.all([
        ...places.flatMap(({ lanes: wanted, count }) => Array.from({ length: count }, () => runBatches(wanted))),
        loop('leases', watchLeases),
        loop('duties', duties),
        loop('emergencies', emergencies),
        loop('transactional', () => tools.deliverTransactional(token, stop.signal)),
        loop('webhooks', () => tools.deliverWebhooks(stop.signal)),
        ...[tools.deliverPosts ?? []].flat().map((deliver) => loop('posts', () => deliver(stop.signal))),
      ]);
      clearTimeout(impatience);
      await stores.pushes.letGo('duties', token);
    },
    /**
     * Claims nothing more; rows that have not left are given back, messages in flight are waited for. Sends that hang are
     * aborted after a while, and recorded as tried.
     */
    stop: (): void => {
      stop.abort();
      tools.dispatcher.drain();
      impatience ??= setTimeout(tools.dispatcher.abort, tools.patienceMs ?? patienceMs);
      wake();
    },
  };
};

export type Worker = ReturnType<typeof makeWorker>;
