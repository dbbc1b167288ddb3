import type { AccountHealth, AccountStore } from '../../accounts/account-store.ts';
import type { SqliteDatabase } from './database.ts';

/** The port over SQLite: each verb is one guarded statement. */
export const sqliteAccountStore = (db: SqliteDatabase): AccountStore => {
  const one = db.prepare('SELECT * FROM accounts WHERE name = ?');
  const make = db.prepare('INSERT INTO accounts (name) VALUES (?) ON CONFLICT DO NOTHING');
  const lease = db.prepare(
    'UPDATE accounts SET holder = ?, held_until = ? WHERE name = ? AND serial = ? AND held_until <= ?',
  );
  const put = db.prepare(
    `UPDATE accounts SET sealed = ?, expires_at = ?, serial = serial + 1, holder = NULL, held_until = 0
     WHERE name = ? AND holder = ? RETURNING serial`,
  );
  const connect = db.prepare(
    `UPDATE accounts SET sealed = ?, expires_at = ?, serial = serial + 1, holder = NULL, held_until = 0, fault = NULL,
       quiet_until = NULL WHERE name = ?`,
  );
  const free = db.prepare('UPDATE accounts SET holder = NULL, held_until = 0 WHERE name = ? AND holder = ?');
  const disconnect = db.prepare(
    'UPDATE accounts SET sealed = NULL, serial = serial + 1, holder = NULL, held_until = 0 WHERE name = ?',
  );
  const worked = db.prepare('UPDATE accounts SET worked_at = ? WHERE name = ?');
  const over = db.prepare(
    `UPDATE accounts SET fault = NULL, quiet_until = NULL WHERE name = ? AND fault IS NOT NULL
       AND json_extract(fault, '$.code') NOT IN (SELECT value FROM json_each(?))`,
  );
  const failed = db.prepare('UPDATE accounts SET fault = ?, quiet_until = ? WHERE name = ?');
  const call = db.prepare('INSERT INTO account_calls (key, what, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING');
  const called = db.prepare('SELECT what FROM account_calls WHERE key = ?');
  const forget = db.prepare('DELETE FROM account_calls WHERE at < ?');
  const allow = db.prepare('INSERT INTO allowed_messages (lookup, scene) VALUES (?, ?) ON CONFLICT DO NOTHING');
  const take = db.prepare(
    `DELETE FROM allowed_messages WHERE (lookup, scene) IN (
       SELECT lookup, scene FROM allowed_messages WHERE lookup = ? ORDER BY scene LIMIT 1) RETURNING scene`,
  );

  return {
    token: async (account) => {
      const row = await db.read(() => one.get(account));
      if (row?.sealed == null) return null;
      return { sealed: String(row.sealed), serial: Number(row.serial), expiresAt: Number(row.expires_at) };
    },
    leaseToken: (account, seen, holder, now, leaseMs) =>
      db.write(() => {
        make.run(account);
        return lease.run(holder, now + leaseMs, account, seen, now).changes > 0;
      }),
    putToken: async (account, holder, { sealed, expiresAt }) => {
      const [row] = await db.write(() => put.all(sealed, expiresAt, account, holder));
      return row ? Number(row.serial) : null;
    },
    freeToken: async (account, holder) => {
      await db.write(() => free.run(account, holder));
    },
    connect: async (account, { sealed, expiresAt }) => {
      await db.write(() => {
        make.run(account);
        connect.run(sealed, expiresAt, account);
      });
    },
    disconnect: async (account) => {
      await db.write(() => disconnect.run(account));
    },
    health: async (account) => {
      const row = await db.read(() => one.get(account));
      return {
        workedAt: (row?.worked_at ?? null) as number | null,
        fault: row?.fault == null ? null : (JSON.parse(String(row.fault)) as AccountHealth['fault']),
        quietUntil: (row?.quiet_until ?? null) as number | null,
      };
    },
    worked: async (account, at, but = []) => {
      await db.write(() => {
        make.run(account);
        worked.run(at, account);
        over.run(account, JSON.stringify(but));
      });
    },
    failed: async (account, fault, quietUntil) => {
      await db.write(() => {
        make.run(account);
        failed.run(JSON.stringify(fault), quietUntil, account);
      });
    },
    once: (key, what, at) =>
      db.write(() => {
        if (call.run(key, what, at).changes > 0) return 'new';
        return called.get(key)?.what === what ? 'same' : 'other';
      }),
    called: async (key) => (await db.read(() => called.get(key))) !== undefined,
    forgetCalls: async (before) => {
      await db.write(() => forget.run(before));
    },
    allowOne: async (lookup, scene) => {
      await db.write(() => allow.run(lookup, scene));
    },
    takeOne: async (lookup) => {
      const [row] = await db.write(() => take.all(lookup));
      return row ? Number(row.scene) : null;
    },
  };
};
