import { setTimeout } from 'node:timers/promises';
import type { mongo } from 'mongoose';
import type { Edges } from '../../edges.ts';
import { countBulk, countMissing, insertIfFree, lastNumber, takeNumbers } from './writes.ts';

/**
 * **change**: a number under which a person was written. `open` until the write is done; `void`: given up by who waited for
 * it. `subscriber` null: the number was taken, and nothing was ever heard of it.
 */
type ChangeDocument = { _id: number; subscriber: number | null; state: 'open' | 'done' | 'void' };

/** Runs writes that change people, and tells the audience index of them. */
export type Changes = {
  /**
   * Announces a change of these people, writes, and marks it as done. Numbers can become visible in another order than they
   * were taken; whoever reads them waits for an open one, so that nothing that was written before a number is missed.
   */
  announce<T>(ordinals: number[], write: () => Promise<T>): Promise<T>;
};

const counter = 'changes';
const changeRows = (db: mongo.Db) => db.collection<ChangeDocument>('changes');

export const changesOver = (db: mongo.Db): Changes => {
  const rows = changeRows(db);

  /** Answers whether all rows were still open. */
  const close = async (first: number, count: number): Promise<boolean> => {
    if (count === 1)
      return (await rows.updateOne({ _id: first, state: 'open' }, { $set: { state: 'done' } })).matchedCount === 1;
    const numbers = Array.from({ length: count }, (_, place) => first + place);
    const operations = numbers.map((_id) => ({
      updateOne: { filter: { _id, state: 'open' as const }, update: { $set: { state: 'done' as const } } },
    }));
    return (await countBulk(rows, operations)) === count;
  };

  const announce: Changes['announce'] = async (ordinals, write) => {
    const people = [...new Set(ordinals)];
    if (people.length === 0) return write();
    const first = await takeNumbers(db, counter, people.length);
    const open = people.map((subscriber, place) => ({ _id: first + place, subscriber, state: 'open' as const }));
    // too slow: some of the numbers were given up before they were there
    if ((await countMissing(rows, open)) < people.length) {
      await close(first, people.length);
      return announce(people, write);
    }
    try {
      return await write();
    } finally {
      // given up while it was written: it is told under a new number
      if (!(await close(first, people.length))) await announce(people, async () => undefined);
    }
  };
  return { announce };
};

const voidAfterMs = 10_000;
const pollMs = 10;
const rowsInOneRead = 2_000;

/** Reads change numbers in their order. */
export type ChangeReader = {
  newest(): Promise<number>;
  /** As `AudienceStore.changes`; waits for writes that are under way, 10 s each at most. */
  after(after: number, limit: number): Promise<{ seq: number; ordinal: number }[]>;
};

export const changeReaderOver = (db: mongo.Db, { monotonic }: Pick<Edges, 'monotonic'>): ChangeReader => {
  const rows = changeRows(db);
  let waited: { seq: number; since: number } | null = null;

  /** Gives up what nobody finished: a writer that is alive after all sees it and takes a new number. */
  const giveUp = async (seq: number): Promise<void> => {
    if (await insertIfFree(rows, { _id: seq, subscriber: null, state: 'void' })) return;
    await rows.updateOne({ _id: seq, state: 'open' }, { $set: { state: 'void' } });
  };
  const waitFor = async (seq: number): Promise<void> => {
    if (waited?.seq !== seq) waited = { seq, since: monotonic() };
    if (monotonic() - waited.since < voidAfterMs) await setTimeout(pollMs);
    else await giveUp(seq);
  };

  /** The rows of the next numbers, each of them finished. */
  const window = async (after: number, last: number): Promise<ChangeDocument[]> => {
    for (;;) {
      const found = await rows
        .find({ _id: { $gt: after, $lte: last } })
        .sort({ _id: 1 })
        .toArray();
      const gap = found.findIndex(({ _id, state }, place) => _id !== after + 1 + place || state === 'open');
      const unfinished = gap < 0 ? after + 1 + found.length : after + 1 + gap;
      if (unfinished > last) return found;
      await waitFor(unfinished);
    }
  };

  const newest = (): Promise<number> => lastNumber(db, counter);
  return {
    newest,
    after: async (after, limit) => {
      const target = await newest();
      const last = new Map<number, number>();
      for (let at = after; at < target && last.size <= limit; at = Math.min(at + rowsInOneRead, target))
        for (const { _id, subscriber } of await window(at, Math.min(at + rowsInOneRead, target))) {
          // nobody has the ordinal 0: it only says how far one has read
          last.delete(subscriber ?? 0);
          last.set(subscriber ?? 0, _id);
        }
      return [...last].slice(0, limit).map(([ordinal, seq]) => ({ seq, ordinal }));
    },
  };
};
