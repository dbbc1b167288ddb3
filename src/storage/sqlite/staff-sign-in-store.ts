import type { StaffAccount, StaffSession, StaffSignInStore } from '../../access/staff-sign-in-store.ts';
import { staffOf } from './access-store.ts';
import type { Row, SqliteDatabase } from './database.ts';

const sessionOf = (row: Row): StaffSession => ({
  hash: String(row.hash),
  staff: String(row.staff),
  epoch: Number(row.epoch),
  createdAt: Number(row.created_at),
  expiresAt: Number(row.expires_at),
  stage: row.stage as StaffSession['stage'],
});

const accountOf = (row: Row): StaffAccount => ({
  staff: staffOf(row),
  password: row.password === null ? null : String(row.password),
  epoch: Number(row.epoch),
  totp: row.totp === null ? null : { sealed: String(row.totp), step: Number(row.totp_step) },
  recovery: JSON.parse(String(row.recovery)) as string[],
});

/** Passwords, sessions and tries of staff over SQLite. */
export const sqliteStaffSignInStore = (db: SqliteDatabase): StaffSignInStore => {
  const byId = db.prepare('SELECT * FROM staff WHERE id = ?');
  const byEmail = db.prepare('SELECT * FROM staff WHERE email = ?');
  const setPassword = db.prepare('UPDATE staff SET password = ?, epoch = epoch + 1 WHERE id = ? AND epoch = ?');
  const setSecondStep = db.prepare(
    'UPDATE staff SET totp = ?, totp_step = ?, recovery = ?, epoch = epoch + 1 WHERE id = ? AND epoch = ?',
  );
  const takeStep = db.prepare('UPDATE staff SET totp_step = ? WHERE id = ? AND totp IS NOT NULL AND totp_step < ?');
  const setRecovery = db.prepare('UPDATE staff SET recovery = ? WHERE id = ?');
  const endSessions = db.prepare('UPDATE staff SET epoch = epoch + 1 WHERE id = ?');
  const insert = db.prepare(
    'INSERT INTO staff_sessions (hash, staff, epoch, created_at, expires_at, stage) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const session = db.prepare('SELECT * FROM staff_sessions WHERE hash = ?');
  const end = db.prepare('DELETE FROM staff_sessions WHERE hash = ?');
  const tries = db.prepare('SELECT count(*) AS tries FROM staff_tries WHERE who = ? AND at > ?');
  const addTry = db.prepare('INSERT INTO staff_tries (who, at) VALUES (?, ?)');
  const clearTries = db.prepare('DELETE FROM staff_tries WHERE who = ?');
  const forgets = [
    'DELETE FROM staff_sessions WHERE hash IN (SELECT hash FROM staff_sessions WHERE expires_at < ? LIMIT 500)',
    'DELETE FROM staff_tries WHERE rowid IN (SELECT rowid FROM staff_tries WHERE at < ? LIMIT 500)',
  ].map((sql) => db.prepare(sql));

  return {
    account: (by) =>
      db.read(() => {
        const row = 'id' in by ? byId.get(by.id) : byEmail.get(by.email);
        return row ? accountOf(row) : null;
      }),
    setPassword: (staff, password, epoch) => db.write(() => setPassword.run(password, staff, epoch).changes === 1),
    setSecondStep: (staff, second, epoch) => {
      const values = [second?.sealed ?? null, second?.step ?? 0, JSON.stringify(second?.recovery ?? [])];
      return db.write(() => setSecondStep.run(...values, staff, epoch).changes === 1);
    },
    takeStep: (staff, step) => db.write(() => takeStep.run(step, staff, step).changes === 1),
    takeRecovery: (staff, kept) =>
      db.write(() => {
        const row = byId.get(staff);
        const left = row ? accountOf(row).recovery : [];
        if (!left.includes(kept)) return false;
        setRecovery.run(JSON.stringify(left.filter((one) => one !== kept)), staff);
        return true;
      }),
    endSessions: (staff) => db.write(() => endSessions.run(staff).changes === 1),
    insertSession: async ({ hash, staff, epoch, createdAt, expiresAt, stage }) => {
      await db.write(() => insert.run(hash, staff, epoch, createdAt, expiresAt, stage));
    },
    session: async (hash) => {
      const row = await db.read(() => session.get(hash));
      return row ? sessionOf(row) : null;
    },
    endSession: async (hash) => {
      await db.write(() => end.run(hash));
    },
    takeTry: (who, now, since, most) =>
      db.write(() => {
        if (Number(tries.get(who, since)?.tries) >= most) return false;
        addTry.run(who, now);
        return true;
      }),
    clearTries: async (who) => {
      await db.write(() => clearTries.run(who));
    },
    forgetBefore: async (before) => {
      for (const forget of forgets) while ((await db.write(() => forget.run(before).changes)) > 0);
    },
  };
};
