import { createConnection, type mongo } from 'mongoose';

/**
 * One connection with its pool. `db` is the driver's own: the ledger's verbs are guarded writes by `_id` and bulk writes,
 * where models, casts and hooks would add nothing.
 */
export type MongoDatabase = { db: mongo.Db; close(): Promise<void> };

export type MongoOptions = {
  /** Database to use; null: the one that the address names. */
  name?: string | null;
  /** How long a lost server is waited for before a call fails, in ms. */
  patienceMs?: number;
};

/**
 * Connects to `mongodb://…`. Writes are acknowledged by a majority and journaled, and reads see what a majority has, so that
 * what was read cannot roll back.
 */
export const openMongo = async (uri: string, options: MongoOptions = {}): Promise<MongoDatabase> => {
  const connection = await createConnection(uri, {
    serverSelectionTimeoutMS: options.patienceMs ?? 30_000,
    writeConcern: { w: 'majority', journal: true },
    readConcern: { level: 'majority' },
    readPreference: 'primary',
    autoIndex: false,
    autoCreate: false,
  }).asPromise();
  const db = options.name ? connection.getClient().db(options.name) : connection.db;
  if (!db) throw new Error('the connection has no database');
  return { db, close: () => connection.close() };
};

const indexes: Record<string, mongo.IndexSpecification[]> = {
  pushes: [
    { createdAt: -1, _id: -1 },
    { item: 1, version: 1 },
    { finishedAt: 1, createdAt: 1 },
  ],
  push_sources: [{ push: 1, plan: 1 }],
  batches: [
    { open: 1, token: 1, lane: 1, since: 1, first: 1 },
    { push: 1, first: 1 },
    { token: 1 },
    { dirty: 1, since: 1 },
  ],
  notices: [
    { item: 1, version: 1, state: 1 },
    { owner: 1, state: 1, ordinal: 1 },
    { ordinal: 1, state: 1 },
  ],
  deliveries: [
    { push: 1, ordinal: 1, channel: 1 },
    { push: 1, state: 1, ordinal: 1 },
    { ordinal: 1, pushedAt: -1 },
    { state: 1, holder: 1, lane: 1, dueAt: 1 },
    { state: 1, holder: 1, dueAt: 1 },
    { holder: 1 },
  ],
  messages: [{ provider: 1, reference: 1 }],
  addresses: [{ subscriber: 1 }],
};

/** Makes the indexes that are missing. None is unique: whatever must be unique is an `_id`, which a sharded cluster keeps. */
export const ensureIndexes = async (db: mongo.Db): Promise<void> => {
  for (const [collection, keys] of Object.entries(indexes))
    await db
      .collection(collection)
      .createIndexes(keys.map((key) => ({ key: key as Record<string, mongo.IndexDirection> })));
};
