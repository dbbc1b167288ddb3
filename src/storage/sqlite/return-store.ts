import type { Returned, ReturnStore } from '../../feedback/return-store.ts';
import type { Row, SqliteDatabase } from './database.ts';

const shownAtOnce = 50;

const returnedOf = (row: Row): Returned => ({
  id: String(row.id),
  lookup: String(row.lookup),
  kind: String(row.kind) as Returned['kind'],
  reason: String(row.reason),
  status: row.status === null ? null : String(row.status),
  message: row.message === null ? null : String(row.message),
  at: Number(row.at),
});

/** What came back, over SQLite. */
export const sqliteReturnStore = (db: SqliteDatabase): ReturnStore => {
  const insert = db.prepare('INSERT INTO returns VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING');
  const count = db.prepare('SELECT count(*) AS count FROM returns WHERE lookup = ? AND kind = ? AND at >= ?');
  const ofLookup = db.prepare(`SELECT * FROM returns WHERE lookup = ? ORDER BY at DESC, id LIMIT ${shownAtOnce}`);
  const forget = db.prepare('DELETE FROM returns WHERE lookup = ?');
  const forgetBefore = db.prepare('DELETE FROM returns WHERE at < ?');

  return {
    record: async ({ id, lookup, kind, reason, status, message, at }) =>
      (await db.write(() => insert.run(id, lookup, kind, reason, status, message, at))).changes > 0,
    count: async (lookup, kind, since) => Number((await db.read(() => count.get(lookup, kind, since)))?.count),
    ofLookup: async (lookup) => (await db.read(() => ofLookup.all(lookup))).map(returnedOf),
    forget: async (lookup) => {
      await db.write(() => forget.run(lookup));
    },
    forgetBefore: async (at) => {
      await db.write(() => forgetBefore.run(at));
    },
  };
};
