import type { mongo } from 'mongoose';
import type { NumberedFollow } from '../../../audience/audience-store.ts';
import type { SubscriptionStore } from '../../../subscriptions/subscription-store.ts';
import { append, insertMissing, slices } from '../writes.ts';
import { type FollowDocument, peopleCollections, toDefinition } from './documents.ts';

const keysInOneRead = 2_000;

export type Follows = Pick<SubscriptionStore, 'putFollows' | 'follows' | 'followerCounts'> & {
  /** The numbers of these follows; unknown keys are left out. */
  numbersOf(keys: string[]): Promise<Map<string, number>>;
  /** As `AudienceStore.follows`. */
  numbered(after: number, limit: number): Promise<NumberedFollow[]>;
};

/**
 * Distinct follows. The index reads them by number and goes on after the last, so numbers become visible in their order: each
 * is a document of its own, appended after the follow is there, and the follow takes the first that names it. One that names
 * a follow which has another number is passed over.
 */
export const followsOver = (db: mongo.Db): Follows => {
  const { follows, followNumbers, subscriptions } = peopleCollections(db);

  const byKeys = async (keys: string[]): Promise<FollowDocument[]> => {
    const found: FollowDocument[] = [];
    for (const part of slices([...new Set(keys)], keysInOneRead))
      found.push(...(await follows.find({ _id: { $in: part } }).toArray()));
    return found;
  };
  const take = async (key: string, no: number): Promise<void> => {
    await follows.updateOne({ _id: key, no: null }, { $set: { no } });
  };
  const giveNumbers = async (keys: string[]): Promise<void> => {
    const numbers = await append(
      followNumbers,
      keys.map((key) => ({ key })),
    );
    for (const [place, key] of keys.entries()) await take(key, numbers[place] as number);
  };
  const countSource = async (source: string): Promise<number> => {
    const keys = (await follows.find({ source }, { projection: { _id: 1 } }).toArray()).map(({ _id }) => _id);
    if (keys.length === 0) return 0;
    const live = { follow: { $in: keys }, stoppedAt: null };
    if (keys.length === 1) return subscriptions.countDocuments(live);
    // one person may follow a topic in two ways, within different regions; only then must people be told apart
    const [counted] = await subscriptions
      .aggregate<{ people: number }>([{ $match: live }, { $group: { _id: '$subscriber' } }, { $count: 'people' }])
      .toArray();
    return counted?.people ?? 0;
  };

  return {
    putFollows: async (definitions) => {
      const there = new Map((await byKeys(definitions.map(({ key }) => key))).map((one) => [one._id, one]));
      const fresh = new Map(definitions.filter(({ key }) => !there.has(key)).map((one) => [one.key, one]));
      await insertMissing(
        follows,
        [...fresh.values()].map(({ key, source, target, regions, anchors }) => ({
          ...{ _id: key, no: null, source },
          definition: JSON.stringify({ target, regions, anchors }),
        })),
      );
      // also those that a process left which died before it numbered them
      const unnumbered = [...there.values()].flatMap(({ _id, no }) => (no === null ? [_id] : []));
      await giveNumbers([...unnumbered, ...fresh.keys()]);
    },
    follows: async (keys) => (await byKeys(keys)).map(toDefinition),
    followerCounts: async (sources) => {
      const counts = new Map<string, number>();
      for (const source of new Set(sources)) counts.set(source, await countSource(source));
      return counts;
    },
    numbersOf: async (keys) => {
      const found = await byKeys(keys);
      const unnumbered = found.flatMap(({ _id, no }) => (no === null ? [_id] : []));
      if (unnumbered.length > 0) await giveNumbers(unnumbered);
      const all = unnumbered.length > 0 ? await byKeys(keys) : found;
      return new Map(all.flatMap(({ _id, no }) => (no === null ? [] : [[_id, no] as const])));
    },
    numbered: async (after, limit) => {
      const answered: NumberedFollow[] = [];
      for (let from = after; answered.length < limit; ) {
        const part = await followNumbers
          .find({ _id: { $gt: from } })
          .sort({ _id: 1 })
          .limit(limit)
          .toArray();
        const last = part.at(-1);
        if (!last) break;
        const keys = part.map(({ key }) => key);
        const unfinished = new Set((await byKeys(keys)).flatMap(({ _id, no }) => (no === null ? [_id] : [])));
        for (const { _id, key } of part) if (unfinished.has(key)) await take(key, _id);
        const known = new Map((await byKeys(keys)).map((one) => [one._id, one]));
        for (const { _id, key } of part) {
          const follow = known.get(key);
          if (follow?.no === _id) answered.push({ no: _id, ...toDefinition(follow) });
        }
        from = last._id;
      }
      return answered.slice(0, limit);
    },
  };
};
