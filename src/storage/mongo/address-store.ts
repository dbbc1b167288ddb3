import type { mongo } from 'mongoose';
import type { Address } from '../../subscriptions/subscriber.ts';
import type { AddressStore } from '../../subscriptions/subscription-store.ts';
import { insertIfFree, slices } from './writes.ts';

type AddressDocument = Omit<Address, 'lookup' | 'suppressed'> & { _id: string };
type SuppressionDocument = { _id: string; reason: string };

const idsInOneRead = 2_000;

/**
 * Addresses over MongoDB: the look-up is the `_id`, so that an address has one owner on a sharded cluster too. Suppressions
 * are documents of their own, because they outlive the address.
 */
export const mongoAddressStore = (db: mongo.Db): AddressStore => {
  const addresses = db.collection<AddressDocument>('addresses');
  const suppressions = db.collection<SuppressionDocument>('suppressions');

  const withSuppressions = async (found: AddressDocument[]): Promise<Address[]> => {
    const reasons = new Map<string, string>();
    for (const part of slices(found, idsInOneRead))
      for (const { _id, reason } of await suppressions.find({ _id: { $in: part.map((one) => one._id) } }).toArray())
        reasons.set(_id, reason);
    return found.map(({ _id, subscriber, channel, sealed, verifiedAt }) => ({
      lookup: _id,
      subscriber,
      channel,
      sealed,
      verifiedAt,
      suppressed: reasons.get(_id) ?? null,
    }));
  };

  const claim: AddressStore['claim'] = async ({ lookup, subscriber, channel, sealed, verifiedAt }) => {
    if (await insertIfFree(addresses, { _id: lookup, subscriber, channel, sealed, verifiedAt }))
      return { outcome: 'added' };
    const mine = await addresses.updateOne({ _id: lookup, subscriber }, { $set: { sealed, verifiedAt } });
    if (mine.matchedCount > 0) return { outcome: 'kept' };
    const there = await addresses.findOne({ _id: lookup });
    // removed or moved to this person between two steps: ask again
    if (!there || there.subscriber === subscriber)
      return claim({ lookup, subscriber, channel, sealed, verifiedAt, suppressed: null });
    return { outcome: 'taken', subscriber: there.subscriber };
  };

  return {
    claim,
    find: async (lookup) => {
      const found = await addresses.findOne({ _id: lookup });
      return found ? ((await withSuppressions([found]))[0] ?? null) : null;
    },
    ofSubscribers: async (ordinals) => {
      const found: AddressDocument[] = [];
      for (const part of slices([...new Set(ordinals)], idsInOneRead))
        found.push(...(await addresses.find({ subscriber: { $in: part } }).toArray()));
      const before = (a: Address, b: Address): boolean =>
        a.verifiedAt !== b.verifiedAt ? a.verifiedAt < b.verifiedAt : a.lookup < b.lookup;
      return (await withSuppressions(found)).sort((a, b) => (before(a, b) ? -1 : 1));
    },
    move: async (from, to) => {
      await addresses.updateMany({ subscriber: from }, { $set: { subscriber: to } });
    },
    suppress: (lookup, reason) => insertIfFree(suppressions, { _id: lookup, reason }),
    suppression: async (lookup) => (await suppressions.findOne({ _id: lookup }))?.reason ?? null,
    lift: async (lookup, reason) => (await suppressions.deleteOne({ _id: lookup, reason })).deletedCount > 0,
    remove: async (lookup, subscriber) => (await addresses.deleteOne({ _id: lookup, subscriber })).deletedCount > 0,
  };
};
