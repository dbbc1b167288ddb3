import type { SqliteDatabase } from './database.ts';

/** Gives people new change numbers (audience-store.ts, `changes`); for use inside the write that changes them. */
export type Changes = {
  touch(ordinal: number): void;
  touchAll(ordinals: number[]): void;
  /** Whoever has the address of that look-up, if anybody. */
  touchOwner(lookup: string): void;
};

export const changesOver = (db: SqliteDatabase): Changes => {
  const touch = db.prepare('INSERT OR REPLACE INTO changes (subscriber) VALUES (?)');
  const touchAll = db.prepare('INSERT OR REPLACE INTO changes (subscriber) SELECT value FROM json_each(?)');
  const touchOwner = db.prepare(
    'INSERT OR REPLACE INTO changes (subscriber) SELECT subscriber FROM addresses WHERE lookup = ?',
  );
  return {
    touch: (ordinal) => {
      touch.run(ordinal);
    },
    touchAll: (ordinals) => {
      touchAll.run(JSON.stringify(ordinals));
    },
    touchOwner: (lookup) => {
      touchOwner.run(lookup);
    },
  };
};
