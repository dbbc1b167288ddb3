import type { Profile } from '../../../profiles/profile.ts';
import { joinProfiles } from '../../../profiles/profile-fold.ts';
import type { SqliteDatabase } from '../database.ts';
import { readProfile, storeLevels, storeProfile } from './content.ts';

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

export type ProfileRows = {
  get(ordinal: number): Profile | null;
  put(ordinal: number, profile: Profile): void;
  remove(ordinal: number): void;
};

/** The rows of profiles; everything here runs inside the caller's read or write, who also announces the change. */
export const profileRowsOver = (db: SqliteDatabase): ProfileRows => {
  const select = db.prepare('SELECT content FROM profile_contents WHERE subscriber = ?');
  const putContent = db.prepare(
    `INSERT INTO profile_contents (subscriber, content) VALUES (?, ?)
     ON CONFLICT (subscriber) DO UPDATE SET content = excluded.content`,
  );
  const putFacts = db.prepare(
    `INSERT INTO profiles (subscriber, levels, last_active_day) VALUES (?, ?, ?)
     ON CONFLICT (subscriber) DO UPDATE SET levels = excluded.levels, last_active_day = excluded.last_active_day`,
  );
  const removals = ['profile_contents', 'profiles'].map((table) =>
    db.prepare(`DELETE FROM ${table} WHERE subscriber = ?`),
  );
  const numbersOf = topicNumbersOver(db);

  return {
    get: (ordinal) => {
      const row = select.get(ordinal);
      return row ? readProfile(JSON.parse(String(row.content))) : null;
    },
    put: (ordinal, profile) => {
      const levels = storeLevels(profile, numbersOf(Object.keys(profile.interests)));
      putContent.run(ordinal, storeProfile(profile));
      putFacts.run(ordinal, levels, profile.lastActiveAt === null ? null : Math.floor(profile.lastActiveAt / dayMs));
    },
    remove: (ordinal) => {
      for (const removal of removals) removal.run(ordinal);
    },
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
      const brought = rows.get(from);
      if (consents.get(to)?.personalisation !== 1 || from === to) {
        if (from !== to) forget(from);
        return;
      }
      if (brought) {
        const own = rows.get(to);
        rows.put(to, own ? joinProfiles(own, brought) : brought);
      }
      for (const move of moves) move.run(to, from);
      rows.remove(from);
    },
  };
};
