import type { ImportedPerson } from '../../../subscriptions/subscription-store.ts';
import type { LinePerson } from '../../import-line.ts';
import type { Row, SqliteDatabase } from '../database.ts';
import { packedQuery } from '../packed.ts';
import { originCode, paceCode } from './follows.ts';

/** Whose follows a line replaces, and who they were before; null: somebody new. */
type Replacement = { ordinal: number; line: ImportedPerson; was: LinePerson | null };

type Numbers = ReadonlyMap<string, number>;
type Changes = { added: unknown[][]; changed: unknown[][]; removed: unknown[][] };

const imported = originCode('import');

/** How one person's rows must change: what they asked for or stopped themselves is left alone. */
const collect = (
  { ordinal, line: { follows, createdAt }, was }: Replacement,
  rows: Row[],
  nos: Numbers,
  { added, changed, removed }: Changes,
): void => {
  const there = new Map(rows.map((row) => [Number(row.follow), row]));
  const wanted = new Map(follows.map((one) => [Number(nos.get(one.key)), one]));
  for (const [no, row] of there)
    if (row.origin === imported && row.stopped_at === null && !wanted.has(no)) removed.push([no, ordinal]);
  for (const [no, { id, pace, channels }] of wanted) {
    const wish = [paceCode(pace), channels && JSON.stringify(channels)];
    const row = there.get(no);
    if (!row && !was?.stoppedAll) added.push([no, ordinal, id, ...wish, createdAt]);
    if (row?.origin !== imported || row.stopped_at !== null) continue;
    if (row.pace !== wish[0] || row.channels !== wish[1]) changed.push([no, ordinal, ...wish]);
  }
};

/** Replaces people's imported follows by those of their lines, one statement for all of them. Runs inside a transaction. */
export const followsOver = (db: SqliteDatabase) => {
  const nosOf = packedQuery(
    db,
    { key: 'follows.key', no: 'no' },
    'FROM json_each(?) AS wanted CROSS JOIN follows ON follows.key = wanted.value',
  );
  const ofPeople = packedQuery(
    db,
    {
      follow: 'follow',
      subscriber: 'subscriber',
      pace: 'pace',
      channels: 'channels',
      origin: 'origin',
      stopped_at: 'stopped_at',
    },
    `FROM json_each(?) AS wanted
       CROSS JOIN subscriptions INDEXED BY subscriptions_by_subscriber ON subscriber = wanted.value`,
  );
  const insert = db.prepare(
    `INSERT INTO subscriptions (follow, subscriber, id, pace, channels, origin, created_at, stopped_at)
     SELECT value->>0, value->>1, value->>2, value->>3, value->>4, ${imported}, value->>5, NULL FROM json_each(?)`,
  );
  const update = db.prepare(
    `UPDATE subscriptions SET pace = value->>2, channels = value->>3 FROM json_each(?)
     WHERE follow = value->>0 AND subscriber = value->>1`,
  );
  const remove = db.prepare(
    `DELETE FROM subscriptions
     WHERE (follow, subscriber) IN (SELECT value->>0, value->>1 FROM json_each(?))`,
  );

  return {
    /** The numbers of the follows that these lines name; throws if one is not stored. */
    nosOf: (lines: ImportedPerson[]): Numbers => {
      const keys = [...new Set(lines.flatMap(({ follows }) => follows.map(({ key }) => key)))];
      const nos = new Map(nosOf(JSON.stringify(keys)).map((row) => [String(row.key), Number(row.no)]));
      if (nos.size < keys.length) throw new Error('an import needs stored follows');
      return nos;
    },
    replace: (replacements: Replacement[], nos: Numbers): void => {
      const before = replacements.flatMap(({ was }) => was?.ordinal ?? []);
      const rowsOf = new Map<number, Row[]>(before.map((ordinal) => [ordinal, []]));
      if (before.length > 0)
        for (const row of ofPeople(JSON.stringify(before))) rowsOf.get(Number(row.subscriber))?.push(row);
      const changes: Changes = { added: [], changed: [], removed: [] };
      for (const one of replacements) collect(one, rowsOf.get(one.ordinal) ?? [], nos, changes);
      const { added, changed, removed } = changes;
      if (removed.length > 0) remove.run(JSON.stringify(removed));
      if (changed.length > 0) update.run(JSON.stringify(changed));
      if (added.length > 0) insert.run(JSON.stringify(added));
    },
  };
};
