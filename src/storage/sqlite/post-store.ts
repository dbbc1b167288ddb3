import type { Post } from '../../broadcasts/post.ts';
import type { PostStore } from '../../broadcasts/post-store.ts';
import { decodeCursor, encodeCursor } from '../../cursor.ts';
import type { Row, SqliteDatabase } from './database.ts';

const postOf = (row: Row): Post => ({
  item: String(row.item),
  version: Number(row.version),
  kind: row.kind as Post['kind'],
  state: row.state as Post['state'],
  attempts: Number(row.attempts),
  dueAt: Number(row.due_at),
  giveUpAt: Number(row.give_up_at),
  reference: row.reference as string | null,
  doubtSince: row.doubt_since === null ? null : Number(row.doubt_since),
  response: row.response as string | null,
  at: Number(row.at),
});

/** Above every key of a post. */
const newest: [number, string, number] = [Number.MAX_SAFE_INTEGER, '\u{10ffff}', Number.MAX_SAFE_INTEGER];

/** Posts over SQLite: a claim is one `UPDATE … RETURNING`. */
export const sqlitePostStore = (db: SqliteDatabase): PostStore => {
  const insert = db.prepare(
    `INSERT INTO posts (item, version, kind, state, attempts, due_at, give_up_at, reference, doubt_since, response, at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
  );
  const dueRows = `FROM posts WHERE state = 'pending' AND due_at <= ? AND leased_until <= ?`;
  const due = db.prepare(`SELECT 1 ${dueRows} LIMIT 1`);
  const claim = db.prepare(
    `UPDATE posts SET token = ?, leased_until = ? WHERE (item, version) IN (
       SELECT item, version ${dueRows} ORDER BY due_at, item, version LIMIT ?) RETURNING *`,
  );
  const begin = db.prepare(
    `UPDATE posts SET doubt_since = COALESCE(doubt_since, ?) WHERE item = ? AND version = ? AND token = ? AND leased_until > ?`,
  );
  const known = db.prepare('SELECT 1 FROM posts WHERE reference = ?');
  const settle = db.prepare(
    `UPDATE posts SET state = ?, attempts = ?, due_at = ?, reference = ?, doubt_since = ?, response = ?, token = NULL, leased_until = 0
     WHERE item = ? AND version = ? AND token = ?`,
  );
  const supersede = db.prepare(
    `UPDATE posts SET state = 'superseded' WHERE item = ? AND version < ? AND state = 'pending' AND leased_until <= ? AND doubt_since IS NULL`,
  );
  const ofItem = db.prepare('SELECT * FROM posts WHERE item = ? ORDER BY version');
  const page = db.prepare(
    'SELECT * FROM posts WHERE (at, item, version) < (?, ?, ?) ORDER BY at DESC, item DESC, version DESC LIMIT ?',
  );
  const again = db.prepare(
    `UPDATE posts SET state = 'pending', attempts = 0, doubt_since = NULL, due_at = ?, give_up_at = ?
     WHERE item = ? AND version = ? AND state IN ('failed', 'off')`,
  );
  const off = db.prepare('INSERT INTO unposted_items (item) VALUES (?) ON CONFLICT DO NOTHING');
  const on = db.prepare('DELETE FROM unposted_items WHERE item = ?');
  const isOff = db.prepare('SELECT 1 FROM unposted_items WHERE item = ?');

  return {
    enqueue: async (one) => {
      const { item, version, kind, state, attempts, dueAt, giveUpAt, reference, doubtSince, response, at } = one;
      const row = [item, version, kind, state, attempts, dueAt, giveUpAt, reference, doubtSince, response, at];
      await db.write(() => insert.run(...row));
    },
    claim: async (token, now, leaseMs, limit) => {
      // a look first: most polls find nothing, and a read never waits for a writer
      if (!(await db.read(() => due.get(now, now)))) return [];
      const rows = await db.write(() => claim.all(token, now + leaseMs, now, now, limit));
      return rows.map(postOf).sort((a, b) => a.dueAt - b.dueAt || a.version - b.version);
    },
    beginAsking: async ({ item, version }, token, now) =>
      (await db.write(() => begin.run(now, item, version, token, now))).changes > 0,
    known: async (references) => {
      const here = await db.read(() => references.filter((one) => known.get(one) !== undefined));
      return new Set(here);
    },
    settle: async ({ item, version }, token, { state, attempts, dueAt, reference, doubtSince, response }) => {
      const to = [state, attempts, dueAt, reference, doubtSince, response];
      return (await db.write(() => settle.run(...to, item, version, token))).changes > 0;
    },
    supersede: async (item, before, now) => {
      await db.write(() => supersede.run(item, before, now));
    },
    ofItem: async (item) => (await db.read(() => ofItem.all(item))).map(postOf),
    page: async ({ cursor, limit }) => {
      const before = decodeCursor(cursor, newest);
      const rows = (await db.read(() => page.all(...before, limit + 1))).map(postOf);
      const last = rows.length > limit ? rows[limit - 1] : undefined;
      return {
        rows: rows.slice(0, limit),
        next: last ? encodeCursor([last.at, last.item, last.version]) : null,
      };
    },
    again: async ({ item, version }, now, giveUpAt) =>
      (await db.write(() => again.run(now, giveUpAt, item, version))).changes > 0,
    switchItem: async (item, wanted) => {
      await db.write(() => (wanted ? on : off).run(item));
    },
    isOff: async (item) => (await db.read(() => isOff.get(item))) !== undefined,
  };
};
