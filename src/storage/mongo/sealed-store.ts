import type { mongo } from 'mongoose';
import type { SealedPlace, SealedStore } from '../../key-rotation.ts';

/** Collection, the field that finds a value, the one that its seal is bound to, and the value's own; `only` narrows the rest. */
const places: Record<SealedPlace, { collection: string; id?: string; bound?: string; value: string; only?: object }> = {
  addresses: { collection: 'addresses', value: 'sealed' },
  signUps: { collection: 'sign_ups', bound: 'lookup', value: 'sealed' },
  transactional: { collection: 'transactional', value: 'sealed' },
  calls: { collection: 'idempotent_calls', value: 'body' },
  webhooks: { collection: 'webhooks', value: 'secret' },
  applications: { collection: 'applications', value: 'written' },
  opinions: { collection: 'opinions', value: 'written' },
  staff: { collection: 'staff', id: 'id', value: 'totp.sealed' },
  settings: { collection: 'settings', value: 'value', only: { _id: { $in: ['vapid-keys', 'evidence-key'] } } },
  accounts: { collection: 'accounts', value: 'sealed' },
};

type Found = Record<string, unknown>;
const fieldOf = (document: Found, path: string): unknown =>
  path.split('.').reduce<unknown>((inner, name) => (inner as Found | null | undefined)?.[name], document);

/** Everything that is sealed over MongoDB. */
export const mongoSealedStore = (db: mongo.Db): SealedStore => ({
  sealedValues: async (place, after, limit) => {
    const { collection, id = '_id', bound = id, value, only = {} } = places[place];
    const found: Found[] = await db
      .collection<Found>(collection)
      .find({ $and: [{ [id]: { $gt: after } }, only, { [value]: { $gt: '' } }] })
      .sort({ [id]: 1 })
      .limit(limit)
      .toArray();
    return found.map((one) => ({
      ...{ id: String(one[id]), bound: String(one[bound]), sealed: String(fieldOf(one, value)) },
    }));
  },
  reseal: async (place, changes) => {
    const { collection, id = '_id', value } = places[place];
    const operations = changes.map((one) => ({
      updateOne: { filter: { [id]: one.id, [value]: one.from }, update: { $set: { [value]: one.to } } },
    }));
    await db.collection(collection).bulkWrite(operations as mongo.AnyBulkWriteOperation[], { ordered: false });
  },
});
