import type { SqliteDatabase } from './database.ts';

/**
 * Every topic's number by slug, for use inside a read or write. Topics are only ever added: what was read is read again when
 * there are more, because ten thousand of them take longer to read than all else that is read with them.
 */
export const topicNumbersOver = (db: SqliteDatabase) => {
  const select = db.prepare('SELECT no, slug FROM topics');
  const newest = db.prepare('SELECT max(no) AS no FROM topics');
  let numbers: ReadonlyMap<string, number> = new Map();
  let seen = 0;

  const all = (): ReadonlyMap<string, number> => {
    const last = Number(newest.get()?.no ?? 0);
    if (last > seen) numbers = new Map(select.all().map((row) => [String(row.slug), Number(row.no)]));
    seen = last;
    return numbers;
  };
  return {
    all,
    /** The same, without a look at the store where all of these are known. */
    of: (slugs: readonly string[]): ReadonlyMap<string, number> =>
      slugs.every((slug) => numbers.has(slug)) ? numbers : all(),
  };
};
