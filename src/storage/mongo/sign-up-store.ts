import type { mongo } from 'mongoose';
import type { SignUp, SignUpStore } from '../../subscriptions/subscription-store.ts';
import { insertIfFree, takeNumbers, takeTurn, talliesOf } from './writes.ts';

/** `no` tells which of two that were made in the same millisecond is newer. */
type SignUpDocument = Omit<SignUp, 'id'> & { _id: string; no: number };

const toSignUp = ({ _id, no: _, ...rest }: SignUpDocument): SignUp => ({ id: _id, ...rest });

/** Sign-ups over MongoDB. */
export const mongoSignUpStore = (db: mongo.Db): SignUpStore => {
  const signUps = db.collection<SignUpDocument>('sign_ups');
  const asked = talliesOf(db, 'messages_asked');
  const waitingAt = (lookup: string, now: number) => ({ lookup, confirmedAt: null, expiresAt: { $gt: now } });

  return {
    insert: async ({ id, ...rest }) => {
      await insertIfFree(signUps, { _id: id, no: await takeNumbers(db, 'sign_ups', 1), ...rest });
    },
    get: async (id) => {
      const found = await signUps.findOne({ _id: id });
      return found && toSignUp(found);
    },
    waiting: async (lookup, now) =>
      (await signUps.find(waitingAt(lookup, now)).sort({ createdAt: -1, no: -1 }).toArray()).map(toSignUp),
    takeMessage: (lookup, now, since, most) => takeTurn(asked, lookup, { now, since, most }),
    takeTry: async (lookup, now) => {
      const waiting = await signUps.find(waitingAt(lookup, now), { projection: { _id: 1 } }).toArray();
      let before = 0;
      for (const { _id } of waiting) {
        const was = await signUps.findOneAndUpdate(
          { _id, confirmedAt: null, triesLeft: { $gt: 0 } },
          { $inc: { triesLeft: -1 } },
          { returnDocument: 'before' },
        );
        before = Math.max(before, was?.triesLeft ?? 0);
      }
      return before;
    },
    confirm: async (id, at) =>
      (await signUps.updateOne({ _id: id, confirmedAt: null }, { $set: { confirmedAt: at } })).matchedCount > 0,
    deleteExpired: async (before) => {
      await asked.deleteMany({ newest: { $lt: before } });
      return (await signUps.deleteMany({ expiresAt: { $lt: before } })).deletedCount;
    },
  };
};
