import type { mongo } from 'mongoose';
import type { Returned, ReturnStore } from '../../feedback/return-store.ts';
import { insertIfFree } from './writes.ts';

type ReturnDocument = Omit<Returned, 'id'> & { _id: string };

const shownAtOnce = 50;

const fromDocument = ({ _id, lookup, kind, reason, status, message, at }: ReturnDocument): Returned => ({
  id: _id,
  lookup,
  kind,
  reason,
  status,
  message,
  at,
});

/** What came back, over MongoDB. */
export const mongoReturnStore = (db: mongo.Db): ReturnStore => {
  const returns = db.collection<ReturnDocument>('returns');
  return {
    record: ({ id, ...returned }) => insertIfFree(returns, { _id: id, ...returned }),
    count: (lookup, kind, since) => returns.countDocuments({ lookup, kind, at: { $gte: since } }),
    ofLookup: async (lookup) =>
      (await returns.find({ lookup }).sort({ at: -1, _id: 1 }).limit(shownAtOnce).toArray()).map(fromDocument),
    forget: async (lookup) => {
      await returns.deleteMany({ lookup });
    },
    forgetBefore: async (at) => {
      await returns.deleteMany({ at: { $lt: at } });
    },
  };
};
