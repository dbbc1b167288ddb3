import type { mongo } from 'mongoose';
import { changeCollections, changesOver } from './changes.ts';
import { bulk, lastNumber } from './writes.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const rowsAtOnce = 1_000;
/** In one run: the next one goes on. */
const partsInOneRun = 200;

/**
 * Folds the rows of changes that are older than a day into one a person, which says their newest number: who follows from a
 * number before them is told of the same people. First the people, then how far is folded, then the rows go: whatever a crash
 * leaves is done again. Nothing is folded beyond a change that is open.
 */
const foldOver = (db: mongo.Db) => {
  const { rows, folded, fold } = changeCollections(db);

  /** The newest number of a day ago; keeps an hourly mark of what was the newest when. */
  const horizon = async (now: number): Promise<number> => {
    const marks = (await fold.findOne({ _id: 'marks' }))?.marks ?? [];
    const old = marks.filter(({ at }) => at <= now - dayMs).at(-1);
    const last = marks.at(-1);
    if (last === undefined || last.at <= now - hourMs) {
      const kept = [
        ...marks.filter(({ at }) => at >= (old?.at ?? 0)),
        { at: now, newest: await lastNumber(db, 'changes') },
      ];
      await fold.updateOne({ _id: 'marks' }, { $set: { marks: kept } }, { upsert: true });
    }
    return old?.newest ?? 0;
  };

  /** Folds the next rows; answers how far it came, or null where it can go no further. */
  const foldPart = async (from: number, to: number): Promise<number | null> => {
    const part = await rows
      .find({ _id: { $gt: from, $lte: to } })
      .sort({ _id: 1 })
      .limit(rowsAtOnce)
      .toArray();
    const gap = part.findIndex(({ _id, state }, place) => _id !== from + 1 + place || state === 'open');
    const whole = gap < 0 ? part : part.slice(0, gap);
    const last = whole.at(-1);
    if (!last) return null;
    const newest = new Map(whole.map(({ _id, subscriber }) => [subscriber, _id]));
    newest.delete(null);
    await bulk(
      folded,
      [...newest].map(([subscriber, seq]) => ({
        updateOne: { filter: { _id: subscriber as number }, update: { $max: { seq } }, upsert: true },
      })),
    );
    await fold.updateOne({ _id: 'folded' }, { $max: { upTo: last._id } }, { upsert: true });
    return last._id;
  };

  return async (now: number): Promise<void> => {
    const to = await horizon(now);
    let at: number | null = (await fold.findOne({ _id: 'folded' }))?.upTo ?? 0;
    // what a crash has left
    await rows.deleteMany({ _id: { $lte: at } });
    for (let count = 0; count < partsInOneRun && at !== null && at < to; count++) {
      at = await foldPart(at, to);
      if (at !== null) await rows.deleteMany({ _id: { $lte: at } });
    }
  };
};

/**
 * Tells again of changes that were given up while somebody may still have been writing them, and who then died without telling:
 * after a minute, two, four and so on, for a day.
 */
const tellAgainOver = (db: mongo.Db) => {
  const { givenUp } = changeCollections(db);
  const changes = changesOver(db);
  return async (now: number): Promise<number> => {
    const due = await givenUp
      .find({ nextAt: { $lte: now } })
      .limit(rowsAtOnce)
      .toArray();
    const people = [...new Set(due.flatMap(({ subscriber }) => subscriber ?? []))];
    await changes.announce(people, async () => undefined);
    for (const { _id, since } of due) {
      const age = since === null ? 0 : now - since;
      if (age >= dayMs) await givenUp.deleteOne({ _id });
      else await givenUp.updateOne({ _id }, { $set: { since: since ?? now, nextAt: now + Math.max(age, minuteMs) } });
    }
    return people.length;
  };
};

/** As `AudienceStore.sweepChanges`. */
export const changeSweepOver = (db: mongo.Db): ((now: number) => Promise<number>) => {
  const tellAgain = tellAgainOver(db);
  const fold = foldOver(db);
  return async (now) => {
    const told = await tellAgain(now);
    await fold(now);
    return told;
  };
};
