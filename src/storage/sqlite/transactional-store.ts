import type { TransactionalMessage, TransactionalStore } from '../../channels/courier.ts';
import type { ChannelName } from '../../subscriptions/follow.ts';
import type { Row, SqliteDatabase } from './database.ts';

const messageOf = (row: Row): TransactionalMessage => ({
  id: String(row.id),
  channel: String(row.channel) as ChannelName,
  sealed: String(row.sealed),
  attempts: Number(row.attempts),
  dueAt: Number(row.due_at),
  expiresAt: Number(row.expires_at),
});

/** The port over SQLite: a claim is one `UPDATE … RETURNING`. */
export const sqliteTransactionalStore = (db: SqliteDatabase): TransactionalStore => {
  const insert = db.prepare(
    `INSERT INTO transactional (id, channel, sealed, attempts, due_at, expires_at, token, leased_until)
     VALUES (?, ?, ?, ?, ?, ?, NULL, 0) ON CONFLICT (id) DO NOTHING`,
  );
  const lease = db.prepare(
    `UPDATE transactional SET token = ?, leased_until = ? WHERE id IN (
       SELECT id FROM transactional WHERE due_at <= ? AND leased_until <= ? ORDER BY due_at, id LIMIT ?)
     RETURNING id, channel, sealed, attempts, due_at, expires_at`,
  );
  const due = db.prepare('SELECT 1 FROM transactional WHERE due_at <= ? AND leased_until <= ? LIMIT 1');
  const end = db.prepare('DELETE FROM transactional WHERE id = ? AND token = ?');
  const putOff = db.prepare(
    'UPDATE transactional SET due_at = ?, attempts = ?, token = NULL, leased_until = 0 WHERE id = ? AND token = ?',
  );

  return {
    enqueue: async ({ id, channel, sealed, attempts, dueAt, expiresAt }) => {
      await db.write(() => insert.run(id, channel, sealed, attempts, dueAt, expiresAt));
    },
    claim: async (token, now, leaseMs, limit) => {
      // a look first: most polls find nothing, and a read never waits for a writer
      if (!(await db.read(() => due.get(now, now)))) return [];
      const rows = await db.write(() => lease.all(token, now + leaseMs, now, now, limit));
      return rows.map(messageOf).sort((a, b) => a.dueAt - b.dueAt || (a.id < b.id ? -1 : 1));
    },
    settle: async (id, token, next) => {
      await db.write(() => {
        if (next) putOff.run(next.dueAt, next.attempts, id, token);
        else end.run(id, token);
      });
    },
  };
};
