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

/** A person's newest change among those whose rows are folded away: `_id` is their ordinal. */
type FoldedDocument = { _id: number; seq: number };
/** Numbers up to `upTo` are folded; those up to `newest` were taken when `at` was (ms). One document each: `folded`, `marks`. */
type FoldDocument = { _id: string; upTo?: number; marks?: { at: number; newest: number }[] };
/** A change that was given up while its writer may still have been at it, and when it is told again. */
type GivenUpDocument = { _id: number; subscriber: number | null; since: number | null; nextAt: number };

const counter = 'changes';
export const changeCollections = (db: mongo.Db) => ({
  rows: db.collection<ChangeDocument>('changes'),
  folded: db.collection<FoldedDocument>('changed_people'),
  fold: db.collection<FoldDocument>('change_fold'),
  givenUp: db.collection<GivenUpDocument>('changes_given_up'),
});
const foldedUpTo = async (db: mongo.Db): Promise<number> =>
  (await changeCollections(db).fold.findOne({ _id: 'folded' }))?.upTo ?? 0;

export const changesOver = (db: mongo.Db): Changes => {
  const { rows } = changeCollections(db);

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
  const { rows, folded, givenUp } = changeCollections(db);
  let waited: { seq: number; since: number } | null = null;

  /** Gives up what nobody finished: a writer that is alive after all sees it and takes a new number; one that dies is swept. */
  const giveUp = async (seq: number): Promise<void> => {
    if (await insertIfFree(rows, { _id: seq, subscriber: null, state: 'void' })) return;
    const open = await rows.findOne({ _id: seq, state: 'open' });
    if (!open) return;
    await insertIfFree(givenUp, { _id: seq, subscriber: open.subscriber, since: null, nextAt: 0 });
    await rows.updateOne({ _id: seq, state: 'open' }, { $set: { state: 'void' } });
  };
  const waitFor = async (seq: number): Promise<void> => {
    if (waited?.seq !== seq) waited = { seq, since: monotonic() };
    if (monotonic() - waited.since < voidAfterMs) await setTimeout(pollMs);
    else await giveUp(seq);
  };

  /** The rows of the next numbers, each of them finished; null: they have been folded away meanwhile. */
  const window = async (after: number, last: number): Promise<ChangeDocument[] | null> => {
    for (;;) {
      const found = await rows
        .find({ _id: { $gt: after, $lte: last } })
        .sort({ _id: 1 })
        .toArray();
      const gap = found.findIndex(({ _id, state }, place) => _id !== after + 1 + place || state === 'open');
      const unfinished = gap < 0 ? after + 1 + found.length : after + 1 + gap;
      if (unfinished > last) return found;
      if (unfinished <= (await foldedUpTo(db))) return null;
      await waitFor(unfinished);
    }
  };

  const newest = (): Promise<number> => lastNumber(db, counter);
  return {
    newest,
    after: async (after, limit) => {
      const target = await newest();
      const last = new Map<number, number>();
      const tell = (subscriber: number, seq: number): void => {
        last.delete(subscriber);
        last.set(subscriber, seq);
      };
      for (let at = after; at < target && last.size <= limit; ) {
        const upTo = await foldedUpTo(db);
        if (at < upTo) {
          const filter = { seq: { $gt: at, $lte: upTo } };
          const part = await folded.find(filter).sort({ seq: 1 }).limit(rowsInOneRead).toArray();
          for (const { _id, seq } of part) tell(_id, seq);
          // whoever has changed again while this was read has a number above it
          at = part.length < rowsInOneRead ? upTo : (part.at(-1)?.seq ?? upTo);
          continue;
        }
        const to = Math.min(at + rowsInOneRead, target);
        const part = await window(at, to);
        // nobody has the ordinal 0: it only says how far one has read
        for (const { _id, subscriber } of part ?? []) tell(subscriber ?? 0, _id);
        if (part) at = to;
      }
      return [...last].slice(0, limit).map(([ordinal, seq]) => ({ seq, ordinal }));
    },
  };
};
