import type { mongo } from 'mongoose';
import type { TransactionalMessage, TransactionalStore } from '../../channels/courier.ts';
import { insertIfFree } from './writes.ts';

type MessageDocument = Omit<TransactionalMessage, 'id'> & { _id: string; token: string | null; leasedUntil: number };

/** The port over MongoDB: ids are picked, and each is leased by a write that checks again that it is free. */
export const mongoTransactionalStore = (db: mongo.Db): TransactionalStore => {
  const messages = db.collection<MessageDocument>('transactional');
  return {
    enqueue: async ({ id, channel, sealed, attempts, dueAt, expiresAt }) => {
      const message = { _id: id, channel, sealed, attempts, dueAt, expiresAt };
      await insertIfFree(messages, { ...message, token: null, leasedUntil: 0 });
    },
    claim: async (token, now, leaseMs, limit) => {
      // to the server a limit of 0 is none
      if (limit === 0) return [];
      const free = { dueAt: { $lte: now }, leasedUntil: { $lte: now } };
      const picked = await messages.find(free).sort({ dueAt: 1, _id: 1 }).limit(limit).toArray();
      const claimed: TransactionalMessage[] = [];
      for (const { _id, channel, sealed, attempts, dueAt, expiresAt } of picked) {
        const mine = await messages.updateOne({ _id, ...free }, { $set: { token, leasedUntil: now + leaseMs } });
        if (mine.matchedCount > 0) claimed.push({ id: _id, channel, sealed, attempts, dueAt, expiresAt });
      }
      return claimed;
    },
    settle: async (id, token, next) => {
      if (next) await messages.updateOne({ _id: id, token }, { $set: { ...next, token: null, leasedUntil: 0 } });
      else await messages.deleteOne({ _id: id, token });
    },
  };
};
