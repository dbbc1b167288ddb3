import { type Connection, createConnection, Error as MongooseError, type mongo } from 'mongoose';
import { watchHeartbeats } from './heartbeats.ts';

/**
 * One connection with its pool. `db` is the driver's own: the ledger's verbs are guarded writes by `_id` and bulk writes,
 * where models, casts and hooks would add nothing.
 */
export type MongoDatabase = { db: mongo.Db; close(): Promise<void> };

export type MongoOptions = {
  /** Database to use; null: the one that the address names. */
  name?: string | null;
};

/** How long a lost server is waited for before a call fails: a page is not worth more. */
const patienceMs = 5_000;
/** How often a server that seems well is asked whether it is (the driver's own figure). */
const heartbeatMs = 10_000;
/** At the start both may be starting: so often is that time waited. */
const triesAtStart = 6;

const connect = async (uri: string, tries: number): Promise<Connection> => {
  try {
    return await createConnection(uri, {
      serverSelectionTimeoutMS: patienceMs,
      connectTimeoutMS: patienceMs,
      heartbeatFrequencyMS: heartbeatMs,
      writeConcern: { w: 'majority', journal: true },
      readConcern: { level: 'majority' },
      readPreference: 'primary',
      autoIndex: false,
      autoCreate: false,
    }).asPromise();
  } catch (error) {
    if (tries <= 1 || !(error instanceof MongooseError.MongooseServerSelectionError)) throw error;
    return connect(uri, tries - 1);
  }
};

/**
 * Connects to `mongodb://…`. Writes are acknowledged by a majority and journaled, and reads see what a majority has, so that
 * what was read cannot roll back.
 */
export const openMongo = async (uri: string, options: MongoOptions = {}): Promise<MongoDatabase> => {
  const connection = await connect(uri, triesAtStart);
  const db = options.name ? connection.getClient().db(options.name) : connection.db;
  if (!db) throw new Error('the connection has no database');
  // a heartbeat may connect, greet and ask, each in its time
  const unwatch = watchHeartbeats(connection.getClient(), { patienceMs: 2 * patienceMs, awaitedMs: heartbeatMs });
  return {
    db,
    close: () => {
      unwatch();
      return connection.close();
    },
  };
};

const indexes: Record<string, mongo.IndexSpecification[]> = {
  pushes: [
    { createdAt: -1, _id: -1 },
    { item: 1, version: 1 },
    { finishedAt: 1, createdAt: 1 },
    { endUntold: 1, finishedAt: 1 },
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
  suppressions: [{ at: -1, _id: 1 }],
  returns: [{ lookup: 1, at: -1 }, { at: 1 }],
  webhook_deliveries: [{ state: 1, dueAt: 1 }, { webhook: 1, at: -1, event: -1 }, { at: 1 }],
  tuning_arms: [{ rule: 1, version: 1, day: -1 }],
  tuning_exposures: [
    { closed: 1, push: 1, ordinal: 1 },
    { closed: 1, at: 1, push: 1, ordinal: 1 },
    { rule: 1, at: 1 },
    { at: 1 },
  ],
  tuning_tallies: [{ rule: 1, lineage: 1, day: 1 }, { day: 1 }],
  tuning_changes: [
    { at: -1, _id: -1 },
    { rule: 1, at: -1 },
  ],
  topics: [{ no: 1 }],
  regions: [{ no: 1 }],
  applications: [
    { createdAt: -1, _id: -1 },
    { state: 1, dueOn: 1, _id: 1 },
    { receivedOn: 1, _id: 1 },
    { applicant: 1 },
    { lookup: 1 },
    { 'answer.item': 1 },
    { owes: 1, createdAt: 1 },
  ],
  opinions: [
    { at: -1, _id: -1 },
    { item: 1, 'published.at': 1 },
    { writer: 1, at: 1 },
    { owes: 1, at: 1 },
  ],
  items: [
    { formedAt: 1, _id: 1 },
    { sortAt: -1, _id: -1 },
    { topics: 1, sortAt: -1, _id: -1 },
    { departments: 1, sortAt: -1, _id: -1 },
    { state: 1, scheduledFor: 1 },
    { unannounced: 1 },
  ],
  rules: [{ createdAt: -1, _id: -1 }, { state: 1 }],
  subscribers: [{ owes: 1 }, { leavesAt: 1 }],
  follows: [{ source: 1 }],
  changed_people: [{ seq: 1 }],
  changes_given_up: [{ nextAt: 1 }],
  subscriptions: [
    { subscriber: 1, stoppedAt: 1, no: 1 },
    { follow: 1, stoppedAt: 1, subscriber: 1 },
  ],
  rule_opt_outs: [{ subscriber: 1 }, { rule: 1, subscriber: 1 }],
  subscriber_names: [{ ordinal: 1 }],
  sign_ups: [{ lookup: 1 }, { expiresAt: 1 }],
  messages_asked: [{ newest: 1 }],
  browsing_events: [{ subscriber: 1, at: -1, no: -1 }, { at: 1 }],
  visitors: [{ subscriber: 1 }],
  push_orders: [{ at: 1, _id: 1 }],
  feedback: [{ machine: 1, at: 1, _id: 1 }, { message: 1 }, { ordinal: 1, at: -1 }, { push: 1, ordinal: 1 }],
  report_queue: [{ dueAt: 1 }],
  report_parts: [{ day: 1, _id: 1 }],
  report_sums: [{ dimension: 1, size: 1, span: 1 }],
  report_stale: [{ stale: 1 }],
  link_visits: [{ message: 1, at: 1 }, { at: 1 }],
  opens: [{ at: 1 }],
  clicks_to_judge: [{ at: 1 }],
  transactional: [{ dueAt: 1, _id: 1 }],
  account_calls: [{ at: 1 }],
  allowed_messages: [{ lookup: 1, scene: 1 }],
  posts: [{ state: 1, dueAt: 1 }, { item: 1, version: 1 }, { at: -1, item: -1, version: -1 }, { reference: 1 }],
  asked_feeds: [{ anchors: 1 }, { askedAt: -1, _id: 1 }],
  sources: [{ paused: 1, dueAt: 1 }],
  idempotent_calls: [{ startedAt: 1 }],
  audit: [{ subject: 1, _id: 1 }],
  staff: [{ id: 1 }],
  staff_sessions: [{ expiresAt: 1 }],
  staff_tries: [{ newest: 1 }],
};

const keyText = (key: object): string => JSON.stringify(key);

/**
 * Makes the indexes that are missing, in a collection that is there one at a time: FerretDB 1.24 dies of a call that names several of which some are there.
 * None is unique: whatever must be unique is an `_id`, which a sharded cluster keeps.
 */
export const ensureIndexes = async (db: mongo.Db): Promise<void> => {
  const there = new Set((await db.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name));
  for (const [name, keys] of Object.entries(indexes)) {
    const collection = db.collection(name);
    if (!there.has(name)) {
      await collection.createIndexes(keys.map((key) => ({ key: key as Record<string, mongo.IndexDirection> })));
      continue;
    }
    const present = new Set((await collection.listIndexes().toArray()).map(({ key }) => keyText(key)));
    for (const key of keys) if (!present.has(keyText(key as object))) await collection.createIndex(key);
  }
};
