import { randomBytes } from 'node:crypto';
import { openMongo } from '../../src/storage/mongo/connection.ts';
import { describeWithMongo, openMongoTown } from './open-mongo.ts';
import type { TownOptions } from './town.ts';

/** A database for processes: what they are told of it, and what removes it. SQLite's goes with its data folder. */
export type ProcessDatabase = { env: Record<string, string>; drop(): Promise<void> };

/** A storage as tests run over it that are told on each. */
export type Engine = {
  name: 'SQLite' | 'MongoDB';
  /** For `makeTown` and `startWeb`. */
  town: Pick<TownOptions, 'storage'>;
  /** A new database for any number of processes. */
  database(): ProcessDatabase;
  /** How many of something: fewer on the server of CI, which takes one command at a time, two milliseconds each. */
  some(onSqlite: number, onMongo: number): number;
};

/** `database()` on the server at this address (`mongodb://…`). */
export const newMongoDatabase = (uri: string): ProcessDatabase => {
  const address = new URL(uri);
  address.pathname = `/bellman_test_${randomBytes(6).toString('hex')}`;
  const url = address.toString();
  return {
    env: { DATABASE_URL: url, SECRET: 'a secret for tests only' },
    drop: async () => {
      const { db, close } = await openMongo(url);
      await db.dropDatabase();
      await close();
    },
  };
};

const sqlite: Engine = {
  name: 'SQLite',
  town: {},
  database: () => ({ env: {}, drop: async () => undefined }),
  some: (onSqlite) => onSqlite,
};
const mongo: Engine = {
  name: 'MongoDB',
  town: { storage: openMongoTown },
  database: () => newMongoDatabase(process.env.MONGODB_URI ?? ''),
  some: (_, onMongo) => onMongo,
};

/** Tells a suite on both storages; on MongoDB where there is a server (`describeWithMongo`). */
export const onEachEngine = (what: string, suite: (engine: Engine) => void): void => {
  describe(`${what}, on SQLite`, () => suite(sqlite));
  describeWithMongo(`${what}, on MongoDB`, () => describe(`${what}, on MongoDB`, () => suite(mongo)));
};
