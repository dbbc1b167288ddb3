import { openMongo } from './connection.ts';
import { databaseNameOf } from './mongo-storage.ts';

/** What a server says of itself; `localTime` is its clock (ms). `wrapped`: the setting `lookup-key`, null where there is none. */
export type MongoProbe = {
  setName: string | null;
  sharded: boolean;
  writable: boolean;
  localTime: number | null;
  wrapped: string | null;
};

/** Asks the server of `mongodb://…`, without changing anything. Throws the driver's error for one that does not answer. */
export const probeMongo = async (url: string): Promise<MongoProbe> => {
  const { db, close } = await openMongo(url, { name: databaseNameOf(url) });
  try {
    const hello = await db.command({ hello: 1 });
    const kept = await db.collection<{ _id: string; value: string }>('settings').findOne({ _id: 'lookup-key' });
    return {
      setName: typeof hello.setName === 'string' ? hello.setName : null,
      sharded: hello.msg === 'isdbgrid',
      writable: hello.isWritablePrimary === true,
      localTime: hello.localTime instanceof Date ? hello.localTime.getTime() : null,
      wrapped: kept?.value ?? null,
    };
  } finally {
    await close();
  }
};
