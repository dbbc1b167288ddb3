import type { mongo } from 'mongoose';
import { lanes } from '../../fanout/push.ts';
import type { Claim, PushStore } from '../../fanout/push-store.ts';
import { type BatchDocument, batchLease, fromBatchDocument, leaseView, pushCollections } from './push-documents.ts';
import { insertIfFree } from './writes.ts';

type Batches = Pick<
  PushStore,
  | 'claim'
  | 'leases'
  | 'steal'
  | 'renew'
  | 'close'
  | 'release'
  | 'soil'
  | 'dirty'
  | 'setCounts'
  | 'hold'
  | 'takeOver'
  | 'letGo'
>;

/** Claims, leases and counts. Each verb is one guarded write of one document, which MongoDB makes atomic. */
export const mongoBatches = (db: mongo.Db): Batches => {
  const { pushes, batches, leases } = pushCollections(db);

  const claimed = (found: BatchDocument | null): Claim | null =>
    found && { batch: fromBatchDocument(found), beat: found.beat };

  const hold: PushStore['hold'] = async (name, token) => {
    const mine = await leases.findOneAndUpdate(
      { _id: name, token },
      { $inc: { beat: 1 } },
      { returnDocument: 'after' },
    );
    if (mine) return { held: true, beat: mine.beat };
    if (await insertIfFree(leases, { _id: name, token, beat: 1 })) return { held: true, beat: 1 };
    const theirs = await leases.findOne({ _id: name });
    // let go, or taken by this very token, between two steps: ask again
    if (!theirs || theirs.token === token) return hold(name, token);
    return { held: false, seen: leaseView(theirs) };
  };

  return {
    claim: async (token, wanted) => {
      const going = await pushes
        .find({ finishedAt: null, state: { $in: ['running', 'cancelled'] } }, { projection: { _id: 1 } })
        .toArray();
      const found = await batches.findOneAndUpdate(
        {
          open: true,
          token: null,
          lane: { $in: wanted.map((lane) => lanes.indexOf(lane)) },
          push: { $in: [null, ...going.map((push) => push._id)] },
        },
        { $set: { token }, $inc: { beat: 1 } },
        { sort: { lane: 1, since: 1, first: 1 }, returnDocument: 'after' },
      );
      return claimed(found);
    },
    leases: async () =>
      (await batches.find({ token: { $ne: null } }, { projection: { token: 1, beat: 1, lane: 1 } }).toArray()).map(
        batchLease,
      ),
    steal: async (was, token) =>
      claimed(
        await batches.findOneAndUpdate(
          { _id: was.id, token: was.token, beat: was.beat },
          { $set: { token }, $inc: { beat: 1 } },
          { returnDocument: 'after' },
        ),
      ),
    renew: async (id, token) => {
      const found = await batches.findOneAndUpdate(
        { _id: id, token },
        { $inc: { beat: 1 } },
        { returnDocument: 'after' },
      );
      return found?.beat ?? null;
    },
    close: async (id, token) => {
      if ((await batches.deleteOne({ _id: id, token, kind: 'due' })).deletedCount > 0) return true;
      const closed = await batches.updateOne(
        { _id: id, token },
        { $set: { open: false, token: null, dirty: true }, $inc: { marks: 1 } },
      );
      return closed.matchedCount > 0;
    },
    release: async (id, token) => {
      await batches.updateOne({ _id: id, token }, { $set: { token: null } });
    },

    soil: async (push) => {
      await batches.updateMany(
        { push, open: false, kind: { $in: ['plan', 'late'] } },
        { $set: { dirty: true }, $inc: { marks: 1 } },
      );
    },
    dirty: async (limit) => {
      // to the server a limit of 0 is none
      if (limit === 0) return [];
      const found = await batches
        .find({ dirty: true, folded: { $ne: true } })
        .sort({ since: 1, first: 1 })
        .limit(limit)
        .toArray();
      return found.map((batch) => ({ batch: fromBatchDocument(batch), mark: batch.marks }));
    },
    setCounts: async (id, counts, mark) => {
      if (mark === null) await batches.updateOne({ _id: id, open: true }, { $set: { counts } });
      else await batches.updateOne({ _id: id, marks: mark }, { $set: { counts, dirty: false } });
    },

    hold,
    takeOver: async (was, token) => {
      const taken = await leases.updateOne(
        { _id: was.id, token: was.token, beat: was.beat },
        { $set: { token }, $inc: { beat: 1 } },
      );
      return taken.matchedCount > 0;
    },
    letGo: async (name, token) => {
      await leases.deleteOne({ _id: name, token });
    },
  };
};
