import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Edges } from '../../edges.ts';
import type { Log } from '../../log.ts';
import type { Storage } from '../../storage/storage.ts';
import type { DigestRunner } from '../digest/digest-runner.ts';
import { type Delivery, type Lease, LeaseLost } from '../ledger-store.ts';
import { membership } from '../ordinals.ts';
import type { Batch } from '../push.ts';
import type { Claim } from '../push-store.ts';
import type { Dispatcher } from './dispatcher.ts';
import { type HeldLease, keepLease } from './lease.ts';
import { endOfPush, type PushContext, type PushContexts } from './push-context.ts';
import type { Ending, Unit } from './rows.ts';
import type { Settler } from './settle.ts';

/** People settled in one go; two such chunks of a batch are under way at once, so that one is prepared while one sends. */
const chunkSize = 250;
const chunksAtOnce = 2;
/** How often a running batch's counts are renewed. */
const countEveryMs = 500;
/** After this many rounds a person who cannot be settled (rows that keep moving) is left to the next holder. */
const mostRounds = 5;

export type RunnerStores = Pick<Storage, 'pushes' | 'ledger' | 'items'>;
export type RunnerTools = {
  contexts: PushContexts;
  settler: Settler;
  dispatcher: Dispatcher;
  digests: DigestRunner;
  edges: Edges;
  log: Log;
  leaseMs: number;
};

/** Settles claimed batches: everybody of a planned or late one, the rows of a gathered one. */
export const makeBatchRunner = (stores: RunnerStores, tools: RunnerTools) => {
  const { edges, log } = tools;

  /** How the push's rows are to be settled instead of sent, or null. */
  const endOf = async ({ push }: PushContext): Promise<Ending | null> => {
    const end = await endOfPush(stores, push);
    if (end) return end;
    // rows that are due again at once: a gather leaves them alone until the push goes on
    return push.state === 'paused' ? { kind: 'defer', code: 'paused', until: edges.now() } : null;
  };

  /** Sends a chunk; rows that came back stale are settled anew. Answers false if the batch must be given back. */
  const runChunk = async (
    lease: Lease,
    held: HeldLease,
    batch: Batch,
    pushId: string,
    ordinals: number[],
  ): Promise<boolean> => {
    let left = ordinals;
    for (let round = 0; round < mostRounds && left.length > 0; round += 1) {
      const context = await tools.contexts.of(pushId, { fresh: batch.kind !== 'plan' });
      if (!context) return true;
      const end = await endOf(context);
      // people of a paused push stay planned in their own batch
      if (end?.kind === 'defer' && batch.kind !== 'due') return false;
      const ready = await tools.settler.settle(lease, context, await unitsOf(context, batch, left), end);
      const unsent = await tools.dispatcher.submit(ready, { lease, held, lane: batch.lane });
      if (unsent.some((one) => one.why === 'lost')) return false;
      left = [...new Set(unsent.map((one) => one.ready.departure.key.ordinal))];
    }
    return left.length === 0;
  };

  /** The rows of these people that this batch still has to settle, and those who have none yet. */
  const unitsOf = async (context: PushContext, batch: Batch, ordinals: number[]): Promise<Unit[]> => {
    const rows = await stores.ledger.deliveriesOf(context.push.id, ordinals);
    const byPerson = new Map<number, Delivery[]>();
    for (const row of rows) byPerson.set(row.ordinal, [...(byPerson.get(row.ordinal) ?? []), row]);
    const found = membership(
      context.sources.map((source) => source.ordinals),
      ordinals,
    );
    // who was told an older version after the plan was made is in none of its sources
    const sourcesOf = (ordinal: number): number[] => {
      const mine = found.get(ordinal) ?? [];
      return mine.length === 0 && context.toldSource >= 0 ? [context.toldSource] : mine;
    };
    return ordinals.flatMap((ordinal): Unit[] => {
      const mine = byPerson.get(ordinal) ?? [];
      if (mine.length === 0)
        return batch.kind === 'due' ? [] : [{ ordinal, row: null, others: [], sources: sourcesOf(ordinal) }];
      return mine
        .filter((row) => isMine(row, batch))
        .map((row) => ({ ordinal, row, others: mine.filter((one) => one !== row), sources: row.reasons }));
    });
  };

  const work = (batch: Batch): { push: string; ordinals: number[] }[] => {
    if (batch.push !== null)
      return chunks(batch.ordinals).map((ordinals) => ({ push: batch.push as string, ordinals }));
    const byPush = new Map<string, Set<number>>();
    for (const row of batch.rows) byPush.set(row.push, (byPush.get(row.push) ?? new Set()).add(row.ordinal));
    return [...byPush].flatMap(([push, ordinals]) =>
      chunks([...ordinals].sort((a, b) => a - b)).map((part) => ({ push, ordinals: part })),
    );
  };

  const recount = async (batch: Batch): Promise<void> => {
    if (batch.push !== null)
      await stores.pushes.setCounts(batch.id, await stores.ledger.count(batch.push, batch.ordinals), null);
  };

  /** Renews the batch's counts while it runs: a push of one batch whose sends are slow is seen to move, too. */
  const keepCounting = (batch: Batch): (() => Promise<void>) => {
    let counting: Promise<void> | null = null;
    const count = async (): Promise<void> => {
      try {
        await recount(batch);
      } catch (error) {
        log.warn({ error, batch: batch.id }, 'a running batch could not be counted');
      }
      counting = null;
    };
    const timer = setInterval(() => {
      counting ??= count();
    }, countEveryMs);
    return async () => {
      clearInterval(timer);
      await counting;
    };
  };

  const runAll = async (lease: Lease, held: HeldLease, batch: Batch, stopping: () => boolean): Promise<boolean> => {
    if (batch.kind === 'due' && batch.lane === 'digest') return tools.digests.run(lease, held, batch, stopping);
    const queue = work(batch);
    let whole = true;
    const lane = async (): Promise<void> => {
      for (let part = queue.shift(); part && whole; part = queue.shift()) {
        if (stopping() || !(await runChunk(lease, held, batch, part.push, part.ordinals))) whole = false;
        // SQLite answers at once, so that a chunk of which nobody is sent anything never leaves the turn of the event loop:
        // without a pause a million of them would hold up renewals, and messages that wait for their group
        await nextTurn();
      }
    };
    // both lanes come to rest before the batch is given back: what one of them has in flight is still recorded
    const ends = await Promise.allSettled(Array.from({ length: chunksAtOnce }, lane));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
    return whole;
  };

  return {
    /**
     * Runs a claimed batch to its end (true), or gives it back (false): its push is paused, the lease is lost, `stopping`, or
     * the store refused.
     */
    run: async (claim: Claim, token: string, stopping: () => boolean): Promise<boolean> => {
      const { batch } = claim;
      const lease: Lease = { batch: batch.id, token };
      const held = keepLease(
        () => stores.pushes.renew(batch.id, token),
        edges,
        tools.leaseMs,
        (error) => log.warn({ error, batch: batch.id }, 'a lease could not be renewed'),
      );
      const stopCounting = keepCounting(batch);
      try {
        const whole = await runAll(lease, held, batch, stopping).finally(stopCounting);
        await recount(batch);
        if (whole) await stores.pushes.close(batch.id, token);
        else await stores.pushes.release(batch.id, token);
        return whole;
      } catch (error) {
        if (error instanceof LeaseLost) log.warn({ batch: batch.id }, 'another worker has taken this batch over');
        else {
          log.error({ error, batch: batch.id }, 'a batch stopped; it will be claimed again');
          await stores.pushes.release(batch.id, token).catch(() => undefined);
        }
        return false;
      } finally {
        held.stop();
      }
    },
  };
};

export type BatchRunner = ReturnType<typeof makeBatchRunner>;

/** Rows of people without a final state that this batch, and no other, has to move on. */
const isMine = (row: Delivery, batch: Batch): boolean => {
  if (row.state === 'sending') return row.holder === batch.id;
  return batch.kind === 'due' ? row.state === 'deferred' && row.holder === batch.id : row.state === 'planned';
};

const chunks = (ordinals: number[]): number[][] =>
  Array.from({ length: Math.ceil(ordinals.length / chunkSize) }, (_, index) =>
    ordinals.slice(index * chunkSize, (index + 1) * chunkSize),
  );
