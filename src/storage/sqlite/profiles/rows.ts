import { emptyProfile, type Profile } from '../../../profiles/profile.ts';
import { joinProfiles } from '../../../profiles/profile-fold.ts';
import type { SqliteDatabase } from '../database.ts';
import { changeLevels, readHabits, readInterest, storeHabits, storeInterest } from './content.ts';

const dayMs = 86_400_000;

/** Every topic's number by slug, read again when a slug is asked for that was not there: topics are only ever added. */
const topicNumbersOver = (db: SqliteDatabase): ((slugs: readonly string[]) => ReadonlyMap<string, number>) => {
  const select = db.prepare('SELECT no, slug FROM topics');
  const newest = db.prepare('SELECT max(no) AS no FROM topics');
  let numbers = new Map<string, number>();
  let seen = 0;
  return (slugs) => {
    if (slugs.every((slug) => numbers.has(slug))) return numbers;
    const last = Number(newest.get()?.no ?? 0);
    if (last > seen) numbers = new Map(select.all().map((row) => [String(row.slug), Number(row.no)]));
    seen = last;
    return numbers;
  };
};

/** A part of somebody's profile: the named interests, as far as there are any, and all the rest. */
export type ProfilePart = { ordinal: number; levels: string; profile: Profile };

export type ProfileRows = {
  /** The whole profile, or null. */
  get(ordinal: number): Profile | null;
  /** The named interests of these people; an empty part where there is no profile yet. */
  parts(wanted: ReadonlyMap<number, readonly string[]>): ProfilePart[];
  /** Writes the interests that `after` holds, and the rest; interests that it does not name stay. */
  putParts(changes: { before: ProfilePart; after: Profile }[]): void;
  /** Replaces the whole profile. */
  put(ordinal: number, profile: Profile): void;
  remove(ordinal: number): void;
};

/** A list of rows that are JSON already, as one JSON text: libsql would take longer to make an object of each. */
const packed = (columns: string): string => `'[' || coalesce(group_concat('[' || ${columns} || ']'), '') || ']'`;

/** The rows of profiles; everything here runs inside the caller's read or write, who also announces the change. */
export const profileRowsOver = (db: SqliteDatabase): ProfileRows => {
  const all = db.prepare(
    `SELECT ${packed(`json_quote(topic) || ',' || content`)} AS list FROM interests WHERE subscriber = ?`,
  );
  const rest = db.prepare('SELECT habits FROM profiles WHERE subscriber = ?');
  const some = db.prepare(
    `SELECT ${packed(`subscriber || ',' || json_quote(topic) || ',' || content`)} AS list
     FROM json_each(?) AS wanted CROSS JOIN interests ON subscriber = wanted.value ->> 0 AND topic = wanted.value ->> 1`,
  );
  const rests = db.prepare(
    `SELECT ${packed(`subscriber || ',"' || levels || '",' || coalesce(habits, 'null')`)} AS list
     FROM json_each(?) AS wanted CROSS JOIN profiles ON subscriber = wanted.value`,
  );
  const putInterests = db.prepare(
    `INSERT INTO interests (subscriber, topic, content)
     SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?) WHERE true
     ON CONFLICT (subscriber, topic) DO UPDATE SET content = excluded.content`,
  );
  const putRests = db.prepare(
    `INSERT INTO profiles (subscriber, levels, last_active_day, habits)
     SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?) WHERE true
     ON CONFLICT (subscriber) DO UPDATE SET levels = excluded.levels, last_active_day = excluded.last_active_day,
       habits = excluded.habits`,
  );
  const removals = ['interests', 'profiles'].map((table) => db.prepare(`DELETE FROM ${table} WHERE subscriber = ?`));
  const numbersOf = topicNumbersOver(db);

  const remove = (ordinal: number): void => {
    for (const removal of removals) removal.run(ordinal);
  };

  const putParts: ProfileRows['putParts'] = (changes) => {
    const interests: [number, string, string][] = [];
    const others: [number, string, number | null, string][] = [];
    for (const { before, after } of changes) {
      const changed = Object.entries(after.interests);
      for (const [topic, interest] of changed) interests.push([before.ordinal, topic, storeInterest(interest)]);
      const sums = changed.map(([topic, { sum }]): [string, number] => [topic, sum]);
      const levels = changeLevels(before.levels, sums, numbersOf(Object.keys(after.interests)));
      const day = after.lastActiveAt === null ? null : Math.floor(after.lastActiveAt / dayMs);
      others.push([before.ordinal, levels, day, storeHabits(after)]);
    }
    if (interests.length > 0) putInterests.run(JSON.stringify(interests));
    if (others.length > 0) putRests.run(JSON.stringify(others));
  };

  return {
    get: (ordinal) => {
      const row = rest.get(ordinal);
      if (!row) return null;
      const interests = JSON.parse(String(all.get(ordinal)?.list)) as [string, unknown][];
      return {
        ...(row.habits === null ? emptyProfile : readHabits(JSON.parse(String(row.habits)))),
        interests: Object.fromEntries(interests.map(([topic, content]) => [topic, readInterest(content)])),
      };
    },
    parts: (wanted) => {
      const found = new Map<number, ProfilePart>();
      const others = JSON.parse(String(rests.get(JSON.stringify([...wanted.keys()]))?.list)) as [
        number,
        string,
        unknown,
      ][];
      for (const [ordinal, levels, habits] of others)
        found.set(ordinal, {
          ordinal,
          levels,
          profile: { ...(habits === null ? emptyProfile : readHabits(habits)), interests: {} },
        });
      const pairs = [...wanted].flatMap(([ordinal, topics]) => topics.map((topic) => [ordinal, topic]));
      const interests = JSON.parse(String(some.get(JSON.stringify(pairs))?.list)) as [number, string, unknown][];
      for (const [ordinal, topic, content] of interests) {
        const part = found.get(ordinal);
        if (part) part.profile.interests[topic] = readInterest(content);
      }
      return [...wanted.keys()].map((ordinal) => found.get(ordinal) ?? { ordinal, levels: '', profile: emptyProfile });
    },
    putParts,
    put: (ordinal, profile) => {
      remove(ordinal);
      putParts([{ before: { ordinal, levels: '', profile: emptyProfile }, after: profile }]);
    },
    remove,
  };
};

/** What stands and falls with a person's consent; for use inside a write that changes the person. */
export type ProfileKeeper = {
  /** Forgets profile, events and visitors. */
  forget(ordinal: number): void;
  /** Gives what is there of one person to another, into whom they are merged; nothing is kept where that one has not consented. */
  join(from: number, to: number): void;
};

export const profileKeeperOver = (db: SqliteDatabase): ProfileKeeper => {
  const rows = profileRowsOver(db);
  const consents = db.prepare('SELECT personalisation FROM subscribers WHERE ordinal = ?');
  const tables = ['browsing_events', 'visitors'];
  const removals = tables.map((table) => db.prepare(`DELETE FROM ${table} WHERE subscriber = ?`));
  const moves = tables.map((table) => db.prepare(`UPDATE ${table} SET subscriber = ? WHERE subscriber = ?`));

  const forget = (ordinal: number): void => {
    rows.remove(ordinal);
    for (const removal of removals) removal.run(ordinal);
  };
  return {
    forget,
    join: (from, to) => {
      if (from === to) return;
      if (consents.get(to)?.personalisation !== 1) return forget(from);
      const brought = rows.get(from);
      if (brought) {
        const own = rows.get(to);
        rows.put(to, own ? joinProfiles(own, brought) : brought);
      }
      for (const move of moves) move.run(to, from);
      rows.remove(from);
    },
  };
};
