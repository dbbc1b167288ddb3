import type { MongoDatabase } from '../../src/storage/mongo/connection.ts';

export class Crash extends Error {}

const writes = [
  'insertOne',
  'insertMany',
  'updateOne',
  'updateMany',
  'deleteOne',
  'deleteMany',
  'bulkWrite',
  'findOneAndUpdate',
];

type Db = MongoDatabase['db'];
type Method = (...args: unknown[]) => unknown;

/** The database as a process sees it that is killed before its write number `survived` + 1. */
export const crashingAfter = (db: Db, survived: number): Db => {
  let done = 0;
  const mortal = <T extends object>(collection: T): T =>
    new Proxy(collection, {
      get: (target, name) => {
        const value = Reflect.get(target, name) as unknown;
        if (typeof value !== 'function') return value;
        const method = value.bind(target) as Method;
        if (!writes.includes(String(name))) return method;
        return async (...args: unknown[]) => {
          done += 1;
          if (done > survived) throw new Crash(`killed before write ${done} (${String(name)})`);
          return method(...args);
        };
      },
    });
  return new Proxy(db, {
    get: (target, name) => {
      const value = Reflect.get(target, name) as unknown;
      if (name === 'collection') return (of: string) => mortal(target.collection(of));
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
};
