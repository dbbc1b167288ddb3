import type { mongo } from 'mongoose';
import type { StaffSession, StaffSignInStore } from '../../access/staff-sign-in-store.ts';
import { type StaffDocument, staffOf } from './access-store.ts';
import { insertIfFree, takeTurn, talliesOf } from './writes.ts';

type SessionDocument = Omit<StaffSession, 'hash' | 'stage'> & { _id: string; stage?: StaffSession['stage'] };

/** Passwords, sessions and tries of staff over MongoDB. */
export const mongoStaffSignInStore = (db: mongo.Db): StaffSignInStore => {
  const staff = db.collection<StaffDocument>('staff');
  const sessions = db.collection<SessionDocument>('staff_sessions');
  const tries = talliesOf(db, 'staff_tries');
  return {
    account: async (by) => {
      const found = await staff.findOne('id' in by ? { id: by.id } : { _id: by.email });
      if (!found) return null;
      const { password, epoch, totp = null, recovery = [] } = found;
      return { staff: staffOf(found), password, epoch, totp, recovery };
    },
    setPassword: async (id, password, epoch) =>
      (await staff.updateOne({ id, epoch }, { $set: { password }, $inc: { epoch: 1 } })).matchedCount > 0,
    setSecondStep: async (id, second, epoch) => {
      const totp = second && { sealed: second.sealed, step: second.step };
      const $set = { totp, recovery: second?.recovery ?? [] };
      return (await staff.updateOne({ id, epoch }, { $set, $inc: { epoch: 1 } })).matchedCount > 0;
    },
    takeStep: async (id, step) =>
      (await staff.updateOne({ id, 'totp.step': { $lt: step } }, { $set: { 'totp.step': step } })).matchedCount > 0,
    takeRecovery: async (id, kept) =>
      (await staff.updateOne({ id, recovery: kept }, { $pull: { recovery: kept } })).matchedCount > 0,
    endSessions: async (id) => (await staff.updateOne({ id }, { $inc: { epoch: 1 } })).matchedCount > 0,
    insertSession: async ({ hash, ...rest }) => {
      await insertIfFree(sessions, { _id: hash, ...rest });
    },
    session: async (hash) => {
      const found = await sessions.findOne({ _id: hash });
      if (!found) return null;
      const { _id, stage = 'in', ...rest } = found;
      return { hash: _id, stage, ...rest };
    },
    endSession: async (hash) => {
      await sessions.deleteOne({ _id: hash });
    },
    takeTry: (who, now, since, most) => takeTurn(tries, who, { now, since, most }),
    clearTries: async (who) => {
      await tries.deleteOne({ _id: who });
    },
    forgetBefore: async (before) => {
      await sessions.deleteMany({ expiresAt: { $lt: before } });
      await tries.deleteMany({ newest: { $lt: before } });
    },
  };
};
