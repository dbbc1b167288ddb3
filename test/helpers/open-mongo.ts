import { randomBytes } from 'node:crypto';
import type { Edges } from '../../src/edges.ts';
import { ensureIndexes, type MongoDatabase, openMongo } from '../../src/storage/mongo/connection.ts';
import { mongoStorage } from '../../src/storage/mongo/mongo-storage.ts';
import type { Storage } from '../../src/storage/storage.ts';
import type { Pair } from '../storage/contract/pair.ts';

const uri = process.env.MONGODB_URI;

/**
 * Suites that need a MongoDB-compatible server (`MONGODB_URI`): without one they are skipped with one loud line, or fail
 * where `REQUIRE_MONGO=1` says that it must be there.
 */
export const describeWithMongo = (what: string, suites: () => void): void => {
  if (uri) {
    suites();
  } else if (process.env.REQUIRE_MONGO === '1') {
    it(`${what} find their server`, () => {
      throw new Error('REQUIRE_MONGO=1, but MONGODB_URI names no server');
    });
  } else {
    process.stderr.write(`SKIPPED: ${what}; MONGODB_URI names no MongoDB-compatible server (docs/scale.md)\n`);
    describe.skip(what, suites);
  }
};

/** Every port on a new database, which goes when it is closed. */
export const openMongoTown = async (edges: Edges): Promise<Storage> => {
  const { handles, close } = await openMongoHandles(1);
  const [db] = handles;
  if (!db) throw new Error('a handle was asked for');
  await ensureIndexes(db);
  return mongoStorage({ db, close }, edges);
};

/** Several connections to one new database, which `close` drops. It has no indexes: they are none of what a store promises. */
export const openMongoHandles = async (
  count: number,
): Promise<{ handles: MongoDatabase['db'][]; close: () => Promise<void> }> => {
  const name = `bellman_test_${randomBytes(6).toString('hex')}`;
  const opened = await Promise.all(Array.from({ length: count }, () => openMongo(uri ?? '', { name })));
  const [first] = opened;
  return {
    handles: opened.map((one) => one.db),
    close: async () => {
      await first?.db.dropDatabase();
      for (const one of opened) await one.close();
    },
  };
};

/** Two stores on one new database, each over a connection of its own. */
export const pairOnMongo =
  <S>(storeOver: (db: MongoDatabase['db']) => S) =>
  async (): Promise<Pair<S>> => {
    const { handles, close } = await openMongoHandles(2);
    const [one, two] = handles.map(storeOver);
    if (!one || !two) throw new Error('two handles were asked for');
    return { stores: [one, two], close };
  };

/** One store on a new database. */
export const openOnMongo =
  <S>(storeOver: (db: MongoDatabase['db']) => S) =>
  async (): Promise<{ store: S; close: () => Promise<void> }> => {
    const { handles, close } = await openMongoHandles(1);
    const [store] = handles.map(storeOver);
    if (!store) throw new Error('a handle was asked for');
    return { store, close };
  };
