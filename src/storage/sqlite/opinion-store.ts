import { decodeCursor, encodeCursor } from '../../cursor.ts';
import type { Opinion } from '../../feedback/opinions/opinion.ts';
import type { OpinionStore } from '../../feedback/opinions/opinion-store.ts';
import type { Row, SqlInput, SqliteDatabase } from './database.ts';

const opinionOf = (row: Row): Opinion => ({
  ...(JSON.parse(String(row.facts)) as Pick<Opinion, 'kind' | 'answer' | 'published'>),
  id: String(row.id),
  beat: Number(row.beat),
  state: String(row.state) as Opinion['state'],
  item: String(row.item),
  writer: row.writer === null ? null : Number(row.writer),
  written: row.written === null ? null : String(row.written),
  owes: row.owes === null ? null : 'letter',
  at: Number(row.at),
});

/** The values of a row behind its id and beat. */
const valuesOf = ({ state, item, writer, written, owes, at, kind, answer, published }: Opinion): SqlInput[] => [
  ...[state, item, writer, written, published?.at ?? null, owes, at],
  JSON.stringify({ kind, answer, published }),
];

const columns = 'state, item, writer, written, published_at, owes, at, facts';

/** Questions and opinions over SQLite. */
export const sqliteOpinionStore = (db: SqliteDatabase): OpinionStore => {
  const insert = db.prepare(
    `INSERT INTO opinions (id, beat, ${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
  );
  const one = db.prepare('SELECT * FROM opinions WHERE id = ?');
  const replace = db.prepare(
    `UPDATE opinions SET (${columns}) = (?, ?, ?, ?, ?, ?, ?, ?), beat = beat + 1 WHERE id = ? AND beat = ?`,
  );
  const page = db.prepare(
    `SELECT * FROM opinions WHERE state = coalesce(?, state) AND item = coalesce(?, item) AND (at, id) < (?, ?)
     ORDER BY at DESC, id DESC LIMIT ?`,
  );
  const published = db.prepare(
    'SELECT * FROM opinions WHERE item = ? AND published_at IS NOT NULL ORDER BY published_at, id LIMIT ?',
  );
  const byWriter = db.prepare('SELECT * FROM opinions WHERE writer = ? ORDER BY at DESC, id DESC LIMIT ?');
  const count = db.prepare('SELECT count(*) AS count FROM opinions WHERE writer = ? AND at >= ?');
  const owing = db.prepare('SELECT * FROM opinions WHERE owes IS NOT NULL ORDER BY at LIMIT ?');
  const paid = db.prepare('UPDATE opinions SET owes = NULL, beat = beat + 1 WHERE id = ? AND owes IS NOT NULL');

  return {
    insert: async (opinion) =>
      (await db.write(() => insert.run(opinion.id, opinion.beat, ...valuesOf(opinion)))).changes === 1,
    get: async (id) => {
      const row = await db.read(() => one.get(id));
      return row ? opinionOf(row) : null;
    },
    replace: async (next) => (await db.write(() => replace.run(...valuesOf(next), next.id, next.beat))).changes === 1,
    list: async ({ state, item }, { cursor, limit }) => {
      const before = decodeCursor(cursor, [Number.MAX_SAFE_INTEGER, '\u{10ffff}'] as [number, string]);
      const rows = (await db.read(() => page.all(state, item, ...before, limit + 1))).map(opinionOf);
      const last = rows.length > limit ? rows[limit - 1] : undefined;
      return { rows: rows.slice(0, limit), next: last ? encodeCursor([last.at, last.id]) : null };
    },
    publishedOf: async (item, limit) => (await db.read(() => published.all(item, limit))).map(opinionOf),
    ofWriter: async (writer, limit) => (await db.read(() => byWriter.all(writer, limit))).map(opinionOf),
    countOf: async (writer, since) => Number((await db.read(() => count.get(writer, since)))?.count),
    owing: async (limit) => (await db.read(() => owing.all(limit))).map(opinionOf),
    paid: async (id) => {
      await db.write(() => paid.run(id));
    },
  };
};
