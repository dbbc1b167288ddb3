import type { mongo } from 'mongoose';
import type { Post } from '../../broadcasts/post.ts';
import type { PostStore } from '../../broadcasts/post-store.ts';
import { decodeCursor, encodeCursor } from '../../cursor.ts';
import { insertIfFree } from './writes.ts';

type PostDocument = Post & { _id: string; token: string | null; leasedUntil: number };

const keyOf = ({ item, version }: Pick<Post, 'item' | 'version'>): string => `${item} ${version}`;

/** A post from before doubts were kept has none. */
const fromDocument = ({ _id, token, leasedUntil, ...post }: PostDocument): Post => ({
  ...post,
  doubtSince: post.doubtSince ?? null,
});

/** Above every key of a post. */
const newest: [number, string, number] = [Number.MAX_SAFE_INTEGER, '\u{10ffff}', Number.MAX_SAFE_INTEGER];

/** Posts over MongoDB: a claim marks the posts it found while they are still free, and reads back which it got. */
export const mongoPostStore = (db: mongo.Db): PostStore => {
  const posts = db.collection<PostDocument>('posts');
  const unposted = db.collection<{ _id: string }>('unposted_items');

  return {
    enqueue: async (one) => {
      await insertIfFree(posts, { _id: keyOf(one), ...one, token: null, leasedUntil: 0 });
    },
    claim: async (token, now, leaseMs, limit) => {
      if (limit === 0) return [];
      const free = { state: 'pending' as const, dueAt: { $lte: now }, leasedUntil: { $lte: now } };
      const found = await posts
        .find(free, { projection: { _id: 1 } })
        .sort({ dueAt: 1, item: 1, version: 1 })
        .limit(limit)
        .toArray();
      if (found.length === 0) return [];
      const ids = { $in: found.map((one) => one._id) };
      await posts.updateMany({ _id: ids, ...free }, { $set: { token, leasedUntil: now + leaseMs } });
      return (await posts.find({ _id: ids, token }).sort({ dueAt: 1, version: 1 }).toArray()).map(fromDocument);
    },
    beginAsking: async (of, token, now) => {
      const held = { _id: keyOf(of), token, leasedUntil: { $gt: now } };
      const first = await posts.updateOne({ ...held, doubtSince: null }, { $set: { doubtSince: now } });
      return first.matchedCount > 0 || (await posts.findOne(held, { projection: { _id: 1 } })) !== null;
    },
    known: async (references) => {
      const found = posts.find({ reference: { $in: [...references] } }, { projection: { reference: 1 } });
      return new Set((await found.toArray()).flatMap(({ reference }) => reference ?? []));
    },
    settle: async (of, token, { state, attempts, dueAt, reference, doubtSince, response }) => {
      const settled = await posts.updateOne(
        { _id: keyOf(of), token },
        { $set: { state, attempts, dueAt, reference, doubtSince, response, token: null, leasedUntil: 0 } },
      );
      return settled.matchedCount > 0;
    },
    supersede: async (item, before, now) => {
      await posts.updateMany(
        { item, version: { $lt: before }, state: 'pending', leasedUntil: { $lte: now }, doubtSince: null },
        { $set: { state: 'superseded' } },
      );
    },
    ofItem: async (item) => (await posts.find({ item }).sort({ version: 1 }).toArray()).map(fromDocument),
    page: async ({ cursor, limit }) => {
      const [at, item, version] = decodeCursor(cursor, newest);
      const older = [{ at: { $lt: at } }, { at, item: { $lt: item } }, { at, item, version: { $lt: version } }];
      const rows = await posts
        .find({ $or: older })
        .sort({ at: -1, item: -1, version: -1 })
        .limit(limit + 1)
        .toArray();
      const last = rows.length > limit ? rows[limit - 1] : undefined;
      return {
        rows: rows.slice(0, limit).map(fromDocument),
        next: last ? encodeCursor([last.at, last.item, last.version]) : null,
      };
    },
    again: async (of, now, giveUpAt) => {
      const due = await posts.updateOne(
        { _id: keyOf(of), state: { $in: ['failed', 'off'] } },
        { $set: { state: 'pending', attempts: 0, doubtSince: null, dueAt: now, giveUpAt } },
      );
      return due.matchedCount > 0;
    },
    switchItem: async (item, on) => {
      if (on) await unposted.deleteOne({ _id: item });
      else await insertIfFree(unposted, { _id: item });
    },
    isOff: async (item) => (await unposted.findOne({ _id: item })) !== null,
  };
};
