import type { BrowsingEvent } from '../../../browsing/browsing-event.ts';
import type { Fold, ProfileStore } from '../../../profiles/profile-store.ts';
import { ownTurn } from '../../../turns.ts';
import { storeEvent } from '../../profile-content.ts';
import { changesOver } from '../changes.ts';
import type { SqliteDatabase } from '../database.ts';
import { packedQuery } from '../packed.ts';
import { profileRowsOver } from './rows.ts';

/** A person's events take some 100 µs to fold in and write; who asks for a page waits for one write. */
const peopleInOneWrite = 110;
const eventsInOneWrite = 500;
/** What is waiting is taken in together up to this many events. */
const eventsTogether = 5_000;

type Part = Map<number, BrowsingEvent[]>;

/** Everything each person did, by ordinal, in parts of as many people and events as one write takes. */
const partsOf = (events: readonly BrowsingEvent[]): Part[] => {
  const people: Part = new Map();
  for (const event of events) {
    const own = people.get(event.ordinal);
    if (own) own.push(event);
    else people.set(event.ordinal, [event]);
  }
  const parts: Part[] = [];
  let room = 0;
  for (const [ordinal, own] of [...people].sort(([a], [b]) => a - b))
    for (let from = 0; from < own.length; from += eventsInOneWrite) {
      const some = own.slice(from, from + eventsInOneWrite);
      if (room < some.length || (parts.at(-1)?.size ?? 0) >= peopleInOneWrite || parts.at(-1)?.has(ordinal)) {
        parts.push(new Map());
        room = eventsInOneWrite;
      }
      parts.at(-1)?.set(ordinal, some);
      room -= some.length;
    }
  return parts;
};

/** Stores and folds in one part, inside a write; answers whose events were taken. */
const partWriter = (db: SqliteDatabase): ((part: Part, fold: Fold) => number[]) => {
  const rows = profileRowsOver(db);
  const changes = changesOver(db);
  const consenting = packedQuery(
    db,
    { ordinal: 'ordinal' },
    `FROM json_each(?) AS wanted CROSS JOIN subscribers ON ordinal = wanted.value
     WHERE personalisation = 1 AND merged_into IS NULL AND erased_at IS NULL`,
  );
  const insert = db.prepare(
    `INSERT INTO browsing_events (subscriber, at, content)
     SELECT value ->> 0, value ->> 1, value -> 2 FROM json_each(?)`,
  );
  return (part, fold) => {
    const eventsOf = (ordinal: number): BrowsingEvent[] => part.get(ordinal) ?? [];
    const taken = consenting(JSON.stringify([...part.keys()])).map(({ ordinal }) => Number(ordinal));
    const stored = taken.flatMap((ordinal) => eventsOf(ordinal).map((event) => [ordinal, event.at, storeEvent(event)]));
    if (stored.length > 0) insert.run(JSON.stringify(stored));
    const before = rows.parts(new Map(taken.map((ordinal) => [ordinal, fold.touches(eventsOf(ordinal))])));
    for (const one of before) rows.putPart(one, fold.apply(one.profile, eventsOf(one.ordinal)));
    changes.touchAll(taken);
    return taken;
  };
};

type Waiting = {
  events: BrowsingEvent[];
  fold: Fold;
  resolve: (taken: Set<number>) => void;
  reject: (error: unknown) => void;
};

/** Answers each of those who waited: whose of their events were taken, or the failure of a write that held one of theirs. */
const answerAll = (waiting: Waiting[], taken: ReadonlySet<number>, failed: ReadonlyMap<number, unknown>): void => {
  for (const { events, resolve, reject } of waiting) {
    const ordinals = new Set(events.map(({ ordinal }) => ordinal));
    const fault = [...ordinals].find((ordinal) => failed.has(ordinal));
    if (fault === undefined) resolve(new Set([...ordinals].filter((ordinal) => taken.has(ordinal))));
    else reject(failed.get(fault));
  }
};

/**
 * Takes events in. Whatever comes while a write is under way is taken in together afterwards, in the order of people: the more
 * there is to do, the more neighbours share a page of the database, and the less each costs.
 */
export const absorbOver = (db: SqliteDatabase): ProfileStore['absorb'] => {
  const write = partWriter(db);
  const queue: Waiting[] = [];
  let running = false;

  const nextGroup = (): Waiting[] => {
    let events = 0;
    const end = queue.findIndex((one, at) => {
      events += one.events.length;
      return at > 0 && events > eventsTogether;
    });
    return queue.splice(0, end < 0 ? queue.length : end);
  };

  const takeIn = async (group: Waiting[], fold: Fold): Promise<void> => {
    const taken = new Set<number>();
    const failed = new Map<number, unknown>();
    for (const part of partsOf(group.flatMap(({ events }) => events))) {
      await ownTurn();
      try {
        for (const ordinal of await db.commit(() => write(part, fold))) taken.add(ordinal);
      } catch (error) {
        for (const ordinal of part.keys()) failed.set(ordinal, error);
      }
    }
    try {
      await db.durable();
    } catch (error) {
      for (const ordinal of taken) failed.set(ordinal, error);
    }
    answerAll(group, taken, failed);
  };

  const run = async (): Promise<void> => {
    running = true;
    for (let group = nextGroup(); group.length > 0; group = nextGroup()) {
      // of two topic trees the newer knows more
      const fold = group.at(-1)?.fold;
      if (fold) await takeIn(group, fold);
    }
    running = false;
  };

  return (events, fold) =>
    new Promise((resolve, reject) => {
      queue.push({ events, fold, resolve, reject });
      if (!running) void run();
    });
};
