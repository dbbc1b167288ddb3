import type { AccessStore, ApiKey, AuditEntry, IdempotentCall, Role, Scope, Staff } from '../../access/access-store.ts';
import { auditStart } from '../../access/audit.ts';
import { AppError } from '../../errors.ts';
import type { Row, SqliteDatabase } from './database.ts';

/** The account of a row of `staff`. */
export const staffOf = (row: Row): Staff => ({
  id: String(row.id),
  email: String(row.email),
  name: String(row.name),
  roles: JSON.parse(String(row.roles)) as Role[],
  departments: JSON.parse(String(row.departments)) as string[],
  createdAt: Number(row.created_at),
});

const orNull = (value: Row[string] | undefined): number | null => (value === null ? null : Number(value));

const keyOf = (row: Row): ApiKey => ({
  id: String(row.id),
  hash: String(row.hash),
  staff: String(row.staff),
  scopes: JSON.parse(String(row.scopes)) as Scope[],
  createdAt: Number(row.created_at),
  expiresAt: orNull(row.expires_at),
  revokedAt: orNull(row.revoked_at),
});

const entryOf = (row: Row): AuditEntry => ({
  n: Number(row.n),
  at: Number(row.at),
  actor: String(row.actor),
  action: String(row.action),
  subject: row.subject === null ? null : String(row.subject),
  details: String(row.details),
  hash: String(row.hash),
});

const callOf = (row: Row): IdempotentCall =>
  row.status === null
    ? { state: 'running', bodyHash: String(row.body_hash), startedAt: Number(row.started_at) }
    : { state: 'done', bodyHash: String(row.body_hash), status: Number(row.status), body: String(row.body) };

type Calls = Pick<AccessStore, 'openCall' | 'closeCall' | 'dropCall' | 'deleteCallsBefore'>;

const idempotentCalls = (db: SqliteDatabase): Calls => {
  const select = db.prepare('SELECT * FROM idempotent_calls WHERE id = ?');
  const insert = db.prepare('INSERT INTO idempotent_calls (id, body_hash, started_at) VALUES (?, ?, ?)');
  const restart = db.prepare('UPDATE idempotent_calls SET started_at = ? WHERE id = ?');
  const finish = db.prepare('UPDATE idempotent_calls SET status = ?, body = ? WHERE id = ?');
  const drop = db.prepare('DELETE FROM idempotent_calls WHERE id = ? AND status IS NULL');
  const deleteOld = db.prepare('DELETE FROM idempotent_calls WHERE started_at < ?');

  return {
    openCall: (id, bodyHash, at, staleBefore) =>
      db.write(() => {
        const row = select.get(id);
        if (!row) {
          insert.run(id, bodyHash, at);
          return null;
        }
        const call = callOf(row);
        if (call.state !== 'running' || call.bodyHash !== bodyHash || call.startedAt >= staleBefore) return call;
        restart.run(at, id);
        return null;
      }),
    closeCall: async (id, status, body) => {
      await db.write(() => finish.run(status, body, id));
    },
    dropCall: async (id) => {
      await db.write(() => drop.run(id));
    },
    deleteCallsBefore: (before) => db.write(() => deleteOld.run(before).changes),
  };
};

type Settings = Pick<AccessStore, 'setting' | 'putSetting' | 'replaceSetting'>;

const settings = (db: SqliteDatabase): Settings => {
  const select = db.prepare('SELECT value FROM settings WHERE name = ?');
  const replace = db.prepare('UPDATE settings SET value = ? WHERE name = ? AND value = ?');
  const insert = db.prepare('INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING');
  return {
    setting: async (name) => {
      const row = await db.read(() => select.get(name));
      return row ? String(row.value) : null;
    },
    putSetting: (name, value) =>
      db.write(() => {
        insert.run(name, value);
        return String(select.get(name)?.value);
      }),
    replaceSetting: (name, from, to) =>
      db.write(() => (from === null ? insert.run(name, to) : replace.run(to, name, from)).changes === 1),
  };
};

type Audit = Pick<AccessStore, 'appendAudit' | 'audit' | 'auditBefore' | 'auditOf'>;

const audit = (db: SqliteDatabase): Audit => {
  const last = db.prepare('SELECT * FROM audit ORDER BY n DESC LIMIT 1');
  const about = db.prepare('SELECT * FROM audit WHERE subject = ? ORDER BY n');
  const insert = db.prepare(
    'INSERT INTO audit (n, at, actor, action, subject, details, hash) VALUES (?, ?, ?, ?, ?, ?, ?)',
  );
  const from = db.prepare('SELECT * FROM audit WHERE n >= ? ORDER BY n LIMIT ?');
  const before = db.prepare('SELECT * FROM audit WHERE n < ? ORDER BY n DESC LIMIT ?');
  return {
    appendAudit: (entry, hashOf) =>
      db.write(() => {
        const newest = last.get();
        const n = Number(newest?.n ?? 0) + 1;
        const hash = hashOf(n, newest ? String(newest.hash) : auditStart);
        insert.run(n, entry.at, entry.actor, entry.action, entry.subject, entry.details, hash);
        return { ...entry, n, hash };
      }),
    auditBefore: async (n, limit) =>
      (await db.read(() => before.all(n ?? Number.MAX_SAFE_INTEGER, limit))).map(entryOf),
    auditOf: async (subject) => (await db.read(() => about.all(subject))).map(entryOf),
    audit: async (start, limit) => (await db.read(() => from.all(start, limit))).map(entryOf),
  };
};

export const sqliteAccessStore = (db: SqliteDatabase): AccessStore => {
  const insertStaff = db.prepare(
    'INSERT INTO staff (id, email, name, roles, departments, created_at) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
  );
  const selectStaff = db.prepare('SELECT * FROM staff WHERE id = ?');
  const everybody = db.prepare('SELECT * FROM staff ORDER BY email');
  const changeStaff = db.prepare('UPDATE staff SET name = ?, roles = ?, departments = ? WHERE id = ?');
  const allKeys = db.prepare('SELECT * FROM api_keys ORDER BY created_at DESC, id');
  const insertKey = db.prepare(
    `INSERT INTO api_keys (id, hash, staff, scopes, created_at, expires_at, revoked_at) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT DO NOTHING`,
  );
  const selectKey = db.prepare('SELECT * FROM api_keys WHERE id = ?');
  const revoke = db.prepare('UPDATE api_keys SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL');

  return {
    ...idempotentCalls(db),
    ...settings(db),
    ...audit(db),
    insertStaff: async ({ id, email, name, roles, departments, createdAt }) => {
      const values = [id, email, name, JSON.stringify(roles), JSON.stringify(departments), createdAt];
      const { changes } = await db.write(() => insertStaff.run(...values));
      if (changes === 0)
        throw new AppError('conflict', 'There is a staff account with this email.', {
          faults: [{ path: 'email', message: 'is taken' }],
        });
    },
    staff: async (id) => {
      const row = await db.read(() => selectStaff.get(id));
      return row ? staffOf(row) : null;
    },
    allStaff: async () => (await db.read(() => everybody.all())).map(staffOf),
    changeStaff: async (id, { name, roles, departments }) =>
      (await db.write(() => changeStaff.run(name, JSON.stringify(roles), JSON.stringify(departments), id).changes)) > 0,
    allKeys: async () => (await db.read(() => allKeys.all())).map(keyOf),
    insertKey: async ({ id, hash, staff, scopes, createdAt, expiresAt, revokedAt }) => {
      const values = [id, hash, staff, JSON.stringify(scopes), createdAt, expiresAt, revokedAt];
      const { changes } = await db.write(() => insertKey.run(...values));
      if (changes === 0) throw new AppError('conflict', 'There is a key with this id.');
    },
    key: async (id) => {
      const row = await db.read(() => selectKey.get(id));
      return row ? keyOf(row) : null;
    },
    revokeKey: async (id, at) => (await db.write(() => revoke.run(at, id).changes)) > 0,
  };
};
