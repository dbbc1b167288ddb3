import { orUnavailable } from '../../src/storage/mongo/away.ts';
import { type MongoDatabase, openMongo } from '../../src/storage/mongo/connection.ts';
import { bulk } from '../../src/storage/mongo/writes.ts';
import { newMongoDatabase } from '../helpers/engines.ts';
import { startSerialProxy } from '../helpers/mongo-serial-proxy.ts';
import { describeWithMongo } from '../helpers/open-mongo.ts';

describeWithMongo('a MongoDB server that is lost', () => {
  const database = newMongoDatabase(process.env.MONGODB_URI ?? 'mongodb://127.0.0.1/');
  const uri = database.env.DATABASE_URL ?? '';
  let mongo: MongoDatabase;
  let cut: () => Promise<void>;
  beforeEach(async () => {
    const proxy = await startSerialProxy(uri);
    cut = proxy.close;
    mongo = await openMongo(proxy.uri);
  });
  afterEach(async () => {
    await cut().catch(() => undefined);
    await mongo.close();
    await database.drop();
  });

  const words = () => mongo.db.collection<{ _id: string }>('words');
  const list = Array.from({ length: 80 }, (_, n) => ({ _id: `word-${n}` }));
  type Call = [what: string, call: () => Promise<unknown>];
  it.each<Call>([
    [
      'a bulk write',
      () =>
        bulk(
          words(),
          list.map((document) => ({ insertOne: { document } })),
        ),
    ],
    ['an insert of many', () => words().insertMany(list, { ordered: false })],
    ['an update', () => words().updateOne({ _id: 'x' }, { $set: { seen: true } })],
    ['a read', () => words().find({}).toArray()],
  ])('in the middle of %s is an outage, which passes, and no fault of ours', async (_what, call) => {
    const under = orUnavailable(call);
    await Promise.all([
      expect(under).rejects.toMatchObject({ code: 'store-unavailable', retryAfterSeconds: 5 }),
      cut(),
    ]);
  });

  it('is none where the server itself refuses a bulk write', async () => {
    await words().insertOne({ _id: 'word-1' });
    const twice = [{ insertOne: { document: { _id: 'word-1' } } }];
    await expect(orUnavailable(() => bulk(words(), twice))).rejects.toMatchObject({ code: 11000 });
  });
});
