import type { mongo } from 'mongoose';
import { decodeCursor, encodeCursor } from '../../cursor.ts';
import type { Opinion } from '../../feedback/opinions/opinion.ts';
import type { OpinionStore } from '../../feedback/opinions/opinion-store.ts';
import { insertIfFree } from './writes.ts';

type OpinionDocument = Omit<Opinion, 'id'> & { _id: string };

export const opinionsIn = (db: mongo.Db): mongo.Collection<OpinionDocument> =>
  db.collection<OpinionDocument>('opinions');

const fromDocument = ({ _id, ...rest }: OpinionDocument): Opinion => ({ id: _id, ...rest });

/** Questions and opinions over MongoDB. */
export const mongoOpinionStore = (db: mongo.Db): OpinionStore => {
  const opinions = opinionsIn(db);
  return {
    insert: ({ id, ...opinion }) => insertIfFree(opinions, { _id: id, ...opinion }),
    get: async (id) => {
      const found = await opinions.findOne({ _id: id });
      return found && fromDocument(found);
    },
    replace: async ({ id, beat, ...next }) =>
      (await opinions.updateOne({ _id: id, beat }, { $set: next, $inc: { beat: 1 } })).matchedCount === 1,
    list: async ({ state, item }, { cursor, limit }) => {
      const [at, id] = decodeCursor(cursor, [Number.MAX_SAFE_INTEGER, '\u{10ffff}'] as [number, string]);
      const found = await opinions
        .find({
          $or: [{ at: { $lt: at } }, { at, _id: { $lt: id } }],
          ...(state ? { state } : {}),
          ...(item ? { item } : {}),
        })
        .sort({ at: -1, _id: -1 })
        .limit(limit + 1)
        .toArray();
      const rows = found.map(fromDocument);
      const last = rows.length > limit ? rows[limit - 1] : undefined;
      return { rows: rows.slice(0, limit), next: last ? encodeCursor([last.at, last.id]) : null };
    },
    publishedOf: async (item, limit) => {
      const found = await opinions
        .find({ item, 'published.at': { $gt: 0 } })
        .sort({ 'published.at': 1, _id: 1 })
        .limit(limit)
        .toArray();
      return found.map(fromDocument);
    },
    ofWriter: async (writer, limit) =>
      (await opinions.find({ writer }).sort({ at: -1, _id: -1 }).limit(limit).toArray()).map(fromDocument),
    countOf: (writer, since) => opinions.countDocuments({ writer, at: { $gte: since } }),
    owing: async (limit) =>
      (await opinions.find({ owes: 'letter' }).sort({ at: 1 }).limit(limit).toArray()).map(fromDocument),
    paid: async (id) => {
      await opinions.updateOne({ _id: id, owes: 'letter' }, { $set: { owes: null }, $inc: { beat: 1 } });
    },
  };
};
