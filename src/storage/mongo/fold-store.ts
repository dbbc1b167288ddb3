import type { mongo } from 'mongoose';
import { decodeCursor, encodeCursor } from '../../cursor.ts';
import type { FoldStore } from '../../fanout/fold-store.ts';
import { ledgerCollections, ranks } from './ledger/documents.ts';
import { fromPushDocument, pushCollections } from './push-documents.ts';
import { bulk, insertIfFree } from './writes.ts';

type FoldDocument = { _id: string; done: boolean };

const going = ranks(['planned', 'sending', 'deferred', 'digested']);

/** Folding over MongoDB: messages keep what their rows say before these go, so that each step may be repeated. */
export const mongoFoldStore = (db: mongo.Db): FoldStore => {
  const folds = db.collection<FoldDocument>('push_folds');
  const { pushes, batches } = pushCollections(db);
  const { deliveries, messages } = ledgerCollections(db);

  return {
    candidates: async (before, { cursor, limit }) => {
      const [createdAt, id] = decodeCursor(cursor, [-1, ''] as [number, string]);
      const found = await pushes
        .find({
          finishedAt: { $ne: null },
          createdAt: { $gte: createdAt, $lt: before },
          $or: [{ createdAt: { $gt: createdAt } }, { createdAt, _id: { $gt: id } }],
        })
        .sort({ createdAt: 1, _id: 1 })
        .limit(limit + 1)
        .toArray();
      const page = found.slice(0, limit);
      const done = await folds.find({ _id: { $in: page.map(({ _id }) => _id) }, done: true }).toArray();
      const over = new Set(done.map(({ _id }) => _id));
      const last = found.length > limit ? page.at(-1) : undefined;
      return {
        rows: page.filter(({ _id }) => !over.has(_id)).map(fromPushDocument),
        next: last ? encodeCursor([last.createdAt, last._id]) : null,
      };
    },
    begin: async (push) => {
      if (!(await pushes.findOne({ _id: push }, { projection: { _id: 1 } }))) return;
      await batches.updateMany({ push }, { $set: { folded: true } });
      await insertIfFree(folds, { _id: push, done: false });
    },
    dropRows: async (push, limit) => {
      if (!(await folds.findOne({ _id: push }))) return 0;
      const rows = await deliveries
        .find({ push, state: { $nin: going } })
        .limit(limit)
        .toArray();
      await bulk(
        messages,
        rows.flatMap(({ message, reasons }) =>
          message === null
            ? []
            : [
                {
                  updateOne: {
                    filter: { _id: message },
                    update: {
                      $set: { attempts: [], provider: null, reference: null },
                      $addToSet: { kept: { push, reasons } },
                    },
                  },
                },
              ],
        ),
      );
      const gone = await deliveries.deleteMany({ _id: { $in: rows.map(({ _id }) => _id) }, state: { $nin: going } });
      return gone.deletedCount;
    },
    end: async (push) => {
      if (await deliveries.findOne({ push }, { projection: { _id: 1 } })) return false;
      return (await folds.updateOne({ _id: push }, { $set: { done: true } })).matchedCount > 0;
    },
    isFolded: async (push) => (await folds.findOne({ _id: push })) !== null,
  };
};
