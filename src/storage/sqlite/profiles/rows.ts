import { emptyProfile, type Profile } from '../../../profiles/profile.ts';
import { joinProfiles } from '../../../profiles/profile-fold.ts';
import {
  closeContent,
  noProfile,
  openContent,
  putProfile,
  readProfile,
  type StoredProfile,
} from '../../profile-content.ts';
import type { SqliteDatabase } from '../database.ts';
import { topicNumbersOver } from '../topic-numbers.ts';

const dayMs = 86_400_000;

/** A part of somebody's profile (the interests that were asked for, and all the rest), with what it was read from. */
type ProfilePart = { ordinal: number; profile: Profile; stored: StoredProfile };

export type ProfileRows = {
  /** The whole profile, or null. */
  get(ordinal: number): Profile | null;
  /** The named interests of these people; an empty part where there is no profile yet. */
  parts(wanted: ReadonlyMap<number, readonly string[]>): ProfilePart[];
  /** Writes the interests that `profile` holds, and the rest of it; interests that it does not name stay. */
  putPart(part: ProfilePart, profile: Profile): void;
  /** Replaces the whole profile. */
  put(ordinal: number, profile: Profile): void;
  remove(ordinal: number): void;
};

/** Stands between two contents; JSON and topic names hold no control characters. */
const separator = '\u001e';

/** The rows of profiles; everything here runs inside the caller's read or write, who also announces the change. */
export const profileRowsOver = (db: SqliteDatabase): ProfileRows => {
  const one = db.prepare('SELECT content FROM profile_contents WHERE subscriber = ?');
  // one text for all: libsql takes longer to make a row than SQLite to find it
  const many = db.prepare(
    `SELECT group_concat(subscriber || char(10) || content, char(30)) AS contents
     FROM json_each(?) AS wanted CROSS JOIN profile_contents ON subscriber = wanted.value`,
  );
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
  const numbers = topicNumbersOver(db);

  const putPart: ProfileRows['putPart'] = ({ ordinal, stored }, profile) => {
    const after = putProfile(stored, profile, numbers.of(Object.keys(profile.interests)));
    const day = profile.lastActiveAt === null ? null : Math.floor(profile.lastActiveAt / dayMs);
    putContent.run(ordinal, closeContent(after));
    putFacts.run(ordinal, after.levels, day);
  };

  return {
    get: (ordinal) => {
      const row = one.get(ordinal);
      return row ? readProfile(openContent(String(row.content))) : null;
    },
    parts: (wanted) => {
      const contents = many.get(JSON.stringify([...wanted.keys()]))?.contents;
      const found = new Map<number, string>();
      for (const text of contents ? String(contents).split(separator) : []) {
        const end = text.indexOf('\n');
        found.set(Number(text.slice(0, end)), text.slice(end + 1));
      }
      return [...wanted].map(([ordinal, topics]) => {
        const content = found.get(ordinal);
        const stored = content === undefined ? noProfile() : openContent(content);
        return { ordinal, stored, profile: readProfile(stored, topics) };
      });
    },
    putPart,
    put: (ordinal, profile) => putPart({ ordinal, profile: emptyProfile, stored: noProfile() }, profile),
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
