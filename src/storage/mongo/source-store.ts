import type { mongo } from 'mongoose';
import type { Source } from '../../sources/source.ts';
import type { SourceStore } from '../../sources/source-store.ts';
import { insertIfFree } from './writes.ts';

type SourceDocument = Omit<Source, 'id'> & { _id: string; token: string | null; leasedUntil: number };

const fromDocument = ({ _id, token: _token, leasedUntil: _until, ...source }: SourceDocument): Source => ({
  ...source,
  id: _id,
});

/** Sources over MongoDB: a claim marks those it found while they are still free, and reads back which it got. */
export const mongoSourceStore = (db: mongo.Db): SourceStore => {
  const sources = db.collection<SourceDocument>('sources');

  return {
    insert: ({ id, ...source }) => insertIfFree(sources, { _id: id, ...source, token: null, leasedUntil: 0 }),
    get: async (id) => {
      const found = await sources.findOne({ _id: id });
      return found && fromDocument(found);
    },
    list: async () => (await sources.find().sort({ createdAt: 1, _id: 1 }).toArray()).map(fromDocument),
    change: async (id, handling) => {
      const said = { ...handling, etag: null, lastModified: null, token: null };
      return (await sources.updateOne({ _id: id }, { $set: said })).matchedCount > 0;
    },
    pause: async (id, paused, dueAt) =>
      (await sources.updateOne({ _id: id }, { $set: { paused, dueAt, token: null } })).matchedCount > 0,
    remove: async (id) => (await sources.deleteOne({ _id: id })).deletedCount > 0,
    claim: async (token, which, now, leaseMs) => {
      const free =
        'id' in which
          ? { _id: which.id, leasedUntil: { $lte: now } }
          : { paused: false, dueAt: { $lte: now }, leasedUntil: { $lte: now } };
      const limit = 'id' in which ? 1 : which.limit;
      if (limit === 0) return [];
      const found = await sources
        .find(free, { projection: { _id: 1 } })
        .sort({ dueAt: 1, _id: 1 })
        .limit(limit)
        .toArray();
      if (found.length === 0) return [];
      const ids = { $in: found.map((one) => one._id) };
      await sources.updateMany({ ...free, _id: ids }, { $set: { token, leasedUntil: now + leaseMs } });
      return (await sources.find({ _id: ids, token }).sort({ dueAt: 1, _id: 1 }).toArray()).map(fromDocument);
    },
    settle: async (id, token, to) =>
      (await sources.updateOne({ _id: id, token }, { $set: { ...to, token: null, leasedUntil: 0 } })).matchedCount > 0,
  };
};
