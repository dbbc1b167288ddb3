import type { mongo } from 'mongoose';
import { decodeCursor, encodeCursor } from '../../cursor.ts';
import type { Address } from '../../subscriptions/subscriber.ts';
import { type AddressStore, erasedReason } from '../../subscriptions/subscription-store.ts';
import { changesOver } from './changes.ts';
import { insertIfFree, slices } from './writes.ts';

export type AddressDocument = Omit<Address, 'lookup' | 'suppressed'> & { _id: string; plain?: string };
/** `at` is missing from before times were kept; that counts as 0. */
export type SuppressionDocument = { _id: string; reason: string; at?: number };

/** An import claims in the name of others: an address that the person has already stays verified as it was (`same-time`). */
type ImportClaim = (address: Address, when?: 'same-time') => ReturnType<AddressStore['claim']>;

/** The look-up by which an address is suppressed. */
const plainIn = ({ _id, plain }: AddressDocument): string => plain ?? _id;

const idsInOneRead = 2_000;
const beforeAllSuppressions: [number, string] = [Number.MAX_SAFE_INTEGER, ''];

/**
 * Addresses over MongoDB: the look-up is the `_id`, so that an address has one owner on a sharded cluster too. Suppressions
 * are documents of their own, because they outlive the address.
 */
export const mongoAddressStore = (db: mongo.Db): AddressStore & { claim: ImportClaim } => {
  const addresses = db.collection<AddressDocument>('addresses');
  const suppressions = db.collection<SuppressionDocument>('suppressions');
  const changes = changesOver(db);

  const withSuppressions = async (found: AddressDocument[]): Promise<Address[]> => {
    const reasons = new Map<string, string>();
    for (const part of slices(found, idsInOneRead))
      for (const { _id, reason } of await suppressions.find({ _id: { $in: part.map(plainIn) } }).toArray())
        reasons.set(_id, reason);
    // what was erased may still be answered
    const reasonOf = (one: AddressDocument): string | null => {
      const reason = reasons.get(plainIn(one)) ?? null;
      return one.plain !== undefined && reason === erasedReason ? null : reason;
    };
    return found.map((one) => {
      const { _id: lookup, subscriber, channel, sealed, verifiedAt } = one;
      return { lookup, subscriber, channel, sealed, verifiedAt, suppressed: reasonOf(one) };
    });
  };

  const claim = async (
    address: Parameters<AddressStore['claim']>[0],
    when?: 'same-time',
  ): ReturnType<AddressStore['claim']> => {
    const { lookup, subscriber, channel, sealed, verifiedAt, plain } = address;
    const fresh = { _id: lookup, subscriber, channel, sealed, verifiedAt, ...(plain ? { plain } : {}) };
    const there = await addresses.findOne({ _id: lookup });
    if (there && there.subscriber !== subscriber) return { outcome: 'taken', subscriber: there.subscriber };
    const done = await changes.announce([subscriber], async () => {
      if (!there) return insertIfFree(addresses, fresh);
      return (
        (await addresses.updateOne({ _id: lookup, subscriber }, { $set: { sealed, ...(when ? {} : { verifiedAt }) } }))
          .matchedCount > 0
      );
    });
    // added, removed or moved between the two: ask again
    if (!done) return claim(address, when);
    return { outcome: there ? 'kept' : 'added' };
  };

  const plainOf = async (lookup: string): Promise<string> =>
    (await addresses.findOne({ _id: lookup, plain: { $exists: true } }))?.plain ?? lookup;

  const ownersOf = async (lookup: string): Promise<number[]> => {
    const there = await addresses.findOne({ _id: lookup });
    return there ? [there.subscriber] : [];
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
      if (!(await addresses.findOne({ subscriber: from }, { projection: { _id: 1 } }))) return;
      await changes.announce([from, to], () =>
        addresses.updateMany({ subscriber: from }, { $set: { subscriber: to } }),
      );
    },
    suppress: async (of, reason, at) => {
      const lookup = await plainOf(of);
      const there = await suppressions.findOne({ _id: lookup });
      if (there && (reason !== erasedReason || there.reason === erasedReason)) return false;
      const overwritten = async () =>
        (await suppressions.updateOne({ _id: lookup, reason: { $ne: reason } }, { $set: { reason } })).matchedCount > 0;
      return changes.announce(
        await ownersOf(lookup),
        async () =>
          (await insertIfFree(suppressions, { _id: lookup, reason, at })) ||
          (reason === erasedReason && (await overwritten())),
      );
    },
    suppressions: async (reason, { cursor, limit }) => {
      const [at, lookup] = decodeCursor(cursor, beforeAllSuppressions);
      const older: mongo.Filter<SuppressionDocument>[] =
        at > 0 ? [{ at: { $lt: at } }, { at: { $exists: false } }] : [];
      const tied = at > 0 ? { at } : { at: { $exists: false } };
      const found = await suppressions
        .find({ ...(reason === null ? {} : { reason }), $or: [...older, { ...tied, _id: { $gt: lookup } }] })
        .sort({ at: -1, _id: 1 })
        .limit(limit + 1)
        .toArray();
      const rows = found.slice(0, limit).map((one) => ({ lookup: one._id, reason: one.reason, at: one.at ?? 0 }));
      const last = rows.at(-1);
      return { rows, next: found.length > limit && last ? encodeCursor([last.at, last.lookup]) : null };
    },
    suppression: async (lookup) => (await suppressions.findOne({ _id: await plainOf(lookup) }))?.reason ?? null,
    suppressedSince: async (lookup) => {
      const found = await suppressions.findOne({ _id: await plainOf(lookup) });
      return found && (found.at ?? 0);
    },
    lift: async (of, reason) => {
      const lookup = await plainOf(of);
      if (!(await suppressions.findOne({ _id: lookup, reason }))) return false;
      const lifted = () => suppressions.deleteOne({ _id: lookup, reason });
      return (await changes.announce(await ownersOf(lookup), lifted)).deletedCount > 0;
    },
    remove: async (lookup, subscriber) => {
      if (!(await addresses.findOne({ _id: lookup, subscriber }))) return false;
      const removed = () => addresses.deleteOne({ _id: lookup, subscriber });
      return (await changes.announce([subscriber], removed)).deletedCount > 0;
    },
  };
};
