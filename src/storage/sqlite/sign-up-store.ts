import type { SignUp, SignUpStore } from '../../subscriptions/subscription-store.ts';
import type { Row, SqliteDatabase } from './database.ts';

const deletedInOneWrite = 500;

const toSignUp = (row: Row): SignUp => ({
  id: String(row.id),
  lookup: String(row.lookup),
  channel: String(row.channel) as SignUp['channel'],
  sealed: String(row.sealed),
  request: String(row.request),
  codeMac: row.code_mac === null ? null : String(row.code_mac),
  triesLeft: Number(row.tries_left),
  createdAt: Number(row.created_at),
  expiresAt: Number(row.expires_at),
  confirmedAt: row.confirmed_at === null ? null : Number(row.confirmed_at),
});

/** Sign-ups over SQLite. */
export const sqliteSignUpStore = (db: SqliteDatabase): SignUpStore => {
  const insert = db.prepare(
    `INSERT INTO sign_ups (id, lookup, channel, sealed, request, code_mac, tries_left, created_at, expires_at, confirmed_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
  );
  const select = db.prepare('SELECT * FROM sign_ups WHERE id = ?');
  const isWaiting = 'lookup = ? AND confirmed_at IS NULL AND expires_at > ?';
  const waiting = db.prepare(`SELECT * FROM sign_ups WHERE ${isWaiting} ORDER BY created_at DESC, rowid DESC`);
  const mostTries = db.prepare(`SELECT max(tries_left) AS most FROM sign_ups WHERE ${isWaiting}`);
  const takeTries = db.prepare(`UPDATE sign_ups SET tries_left = tries_left - 1 WHERE ${isWaiting} AND tries_left > 0`);
  const asked = db.prepare('SELECT count(*) AS asked FROM messages_asked WHERE lookup = ? AND at > ?');
  const ask = db.prepare('INSERT INTO messages_asked (lookup, at) VALUES (?, ?)');
  const confirm = db.prepare('UPDATE sign_ups SET confirmed_at = ? WHERE id = ? AND confirmed_at IS NULL');
  const forget = db.prepare(
    'DELETE FROM sign_ups WHERE rowid IN (SELECT rowid FROM sign_ups WHERE expires_at < ? LIMIT ?)',
  );
  const forgetAsked = db.prepare(
    'DELETE FROM messages_asked WHERE rowid IN (SELECT rowid FROM messages_asked WHERE at < ? LIMIT ?)',
  );

  const deleteAll = async (statement: typeof forget, before: number): Promise<number> => {
    for (let deleted = 0; ; ) {
      const some = await db.write(() => statement.run(before, deletedInOneWrite).changes);
      deleted += some;
      if (some < deletedInOneWrite) return deleted;
    }
  };

  return {
    insert: (one) =>
      db.write(() => {
        const { id, lookup, channel, sealed, request, codeMac, triesLeft, createdAt, expiresAt, confirmedAt } = one;
        insert.run(id, lookup, channel, sealed, request, codeMac, triesLeft, createdAt, expiresAt, confirmedAt);
      }),
    get: (id) =>
      db.read(() => {
        const row = select.get(id);
        return row ? toSignUp(row) : null;
      }),
    waiting: (lookup, now) => db.read(() => waiting.all(lookup, now).map(toSignUp)),
    takeMessage: (lookup, now, since, most) =>
      db.write(() => {
        if (Number(asked.get(lookup, since)?.asked) >= most) return false;
        ask.run(lookup, now);
        return true;
      }),
    takeTry: (lookup, now) =>
      db.write(() => {
        const most = Number(mostTries.get(lookup, now)?.most ?? 0);
        takeTries.run(lookup, now);
        return most;
      }),
    confirm: (id, at) => db.write(() => confirm.run(at, id).changes === 1),
    deleteExpired: async (before) => {
      await deleteAll(forgetAsked, before);
      return deleteAll(forget, before);
    },
  };
};
