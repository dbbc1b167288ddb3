import type { Source } from '../../sources/source.ts';
import type { SourceStore } from '../../sources/source-store.ts';
import type { Row, SqliteDatabase } from './database.ts';

const sourceOf = (row: Row): Source => ({
  ...JSON.parse(String(row.handling)),
  id: String(row.id),
  url: String(row.url),
  addedBy: String(row.added_by),
  paused: row.paused === 1,
  etag: row.etag as string | null,
  lastModified: row.last_modified as string | null,
  polledAt: row.polled_at as number | null,
  result: row.result === null ? null : JSON.parse(String(row.result)),
  faults: Number(row.faults),
  dueAt: Number(row.due_at),
  createdAt: Number(row.created_at),
});

/** Sources over SQLite: a claim is one `UPDATE … RETURNING`. */
export const sqliteSourceStore = (db: SqliteDatabase): SourceStore => {
  const insert = db.prepare(
    `INSERT INTO sources (id, url, handling, added_by, paused, etag, last_modified, polled_at, result, faults, due_at, created_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
  );
  const one = db.prepare('SELECT * FROM sources WHERE id = ?');
  const all = db.prepare('SELECT * FROM sources ORDER BY no');
  // whoever polls by what was said before says nothing of what is said now
  const change = db.prepare(
    'UPDATE sources SET handling = ?, etag = NULL, last_modified = NULL, token = NULL WHERE id = ?',
  );
  const pause = db.prepare('UPDATE sources SET paused = ?, due_at = ?, token = NULL WHERE id = ?');
  const drop = db.prepare('DELETE FROM sources WHERE id = ?');
  const dueRows = 'FROM sources WHERE paused = 0 AND due_at <= ? AND leased_until <= ?';
  const due = db.prepare(`SELECT 1 ${dueRows} LIMIT 1`);
  const lease = 'UPDATE sources SET token = ?, leased_until = ? WHERE';
  const claimDue = db.prepare(`${lease} no IN (SELECT no ${dueRows} ORDER BY due_at, no LIMIT ?) RETURNING *`);
  const claimOne = db.prepare(`${lease} id = ? AND leased_until <= ? RETURNING *`);
  const settle = db.prepare(
    `UPDATE sources SET paused = ?, etag = ?, last_modified = ?, polled_at = ?, result = ?, faults = ?, due_at = ?,
       token = NULL, leased_until = 0 WHERE id = ? AND token = ?`,
  );
  const flag = (is: boolean): number => (is ? 1 : 0);

  return {
    insert: async (source) => {
      const { id, url, addedBy, paused, etag, lastModified, polledAt, result, faults, dueAt, createdAt } = source;
      const { topics, departments, language, regions, everyMinutes, publish, notify } = source;
      const handling = JSON.stringify({ topics, departments, language, regions, everyMinutes, publish, notify });
      const kept = result === null ? null : JSON.stringify(result);
      const row = [id, url, handling, addedBy, flag(paused), etag, lastModified, polledAt, kept, faults];
      return (await db.write(() => insert.run(...row, dueAt, createdAt))).changes > 0;
    },
    get: async (id) => {
      const row = await db.read(() => one.get(id));
      return row ? sourceOf(row) : null;
    },
    list: async () => (await db.read(() => all.all())).map(sourceOf),
    change: async (id, handling) => (await db.write(() => change.run(JSON.stringify(handling), id))).changes > 0,
    pause: async (id, paused, dueAt) => (await db.write(() => pause.run(flag(paused), dueAt, id))).changes > 0,
    remove: async (id) => (await db.write(() => drop.run(id))).changes > 0,
    claim: async (token, which, now, leaseMs) => {
      const until = now + leaseMs;
      if ('id' in which) return (await db.write(() => claimOne.all(token, until, which.id, now))).map(sourceOf);
      // a look first: most polls find nothing, and a read never waits for a writer
      if (!(await db.read(() => due.get(now, now)))) return [];
      const rows = await db.write(() => claimDue.all(token, until, now, now, which.limit));
      return rows.map(sourceOf).sort((a, b) => a.dueAt - b.dueAt);
    },
    settle: async (id, token, to) => {
      const { paused, etag, lastModified, polledAt, result, faults, dueAt } = to;
      const row = [flag(paused), etag, lastModified, polledAt, JSON.stringify(result), faults, dueAt];
      return (await db.write(() => settle.run(...row, id, token))).changes > 0;
    },
  };
};
