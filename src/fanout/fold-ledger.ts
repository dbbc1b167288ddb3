import { setImmediate } from 'node:timers/promises';
import type { Edges } from '../edges.ts';
import type { Log } from '../log.ts';
import type { Storage } from '../storage/storage.ts';
import type { Push } from './push.ts';

const dayMs = 86_400_000;
const pushesAtOnce = 100;
/** SQLite is synchronous: a write of so many takes a few milliseconds. */
const rowsAtOnce = 500;
/** Reports that are so far behind have not counted yet what would go. */
const behindMs = dayMs;

type Stores = Pick<Storage, 'folds' | 'pushes' | 'items' | 'reports'>;
type Tools = { edges: Pick<Edges, 'now'>; log: Pick<Log, 'info' | 'warn'>; ledgerDays: number };

/** The rows of named people are the proof of what was sent to them in particular, and say whom a later version owes word. */
const isKept = async ({ items }: Pick<Storage, 'items'>, { audience, item, version }: Push): Promise<boolean> => {
  if (audience.kind === 'people' || audience.kind === 'applicant') return true;
  return (await items.version(item, version))?.content.visibility === 'targeted';
};

/** Whether everybody is settled and counted. */
const isSettled = async ({ pushes }: Pick<Storage, 'pushes'>, push: string): Promise<boolean> =>
  (await pushes.batchesOf(push)).every(
    ({ open, dirty, counts }) =>
      !open && !dirty && counts.planned + counts.sending + counts.deferred + counts.digested === 0,
  );

/**
 * Folds the ledger of pushes older than `ledgerDays` (design D5): their counts and counters stay as they are, and so does who was
 * told, in the notices, which are what a bitmap of them would be; rows and attempts go. What a process leaves that dies in
 * between the next run folds. Answers how many rows went.
 */
export const makeLedgerFold =
  (stores: Stores, { edges, log, ledgerDays }: Tools) =>
  async (signal: AbortSignal): Promise<number> => {
    const { folds, reports } = stores;
    const now = edges.now();
    const { countedAt } = await reports.progress();
    if (countedAt === null || countedAt < now - behindMs) {
      log.warn({}, 'the ledger is not folded: the counters of reports are behind');
      return 0;
    }

    const foldOne = async (push: string): Promise<number> => {
      await folds.begin(push);
      let dropped = 0;
      for (let last = rowsAtOnce; last === rowsAtOnce && !signal.aborted; dropped += last) {
        last = await folds.dropRows(push, rowsAtOnce);
        await setImmediate();
      }
      if (!signal.aborted) await folds.end(push);
      return dropped;
    };

    let rows = 0;
    for (let cursor: string | null = null, more = true; more && !signal.aborted; ) {
      const page = await folds.candidates(now - ledgerDays * dayMs, { cursor, limit: pushesAtOnce });
      for (const push of page.rows) {
        if (signal.aborted) break;
        const begun = await folds.isFolded(push.id);
        if (begun || ((await isSettled(stores, push.id)) && !(await isKept(stores, push))))
          rows += await foldOne(push.id);
      }
      cursor = page.next;
      more = cursor !== null;
    }
    if (rows > 0) log.info({ rows }, 'old rows of the ledger were folded');
    return rows;
  };
