import { realEdges } from '../../src/edges.ts';
import { newItem } from '../../src/publishing/item.ts';
import { bringForward } from '../../src/storage/mongo/bring-forward.ts';
import type { MongoDatabase } from '../../src/storage/mongo/connection.ts';
import { mongoStores } from '../../src/storage/mongo/mongo-storage.ts';
import { makeImported, makePerson, someTime } from '../helpers/make-subscriber.ts';
import { describeWithMongo, openMongoHandles } from '../helpers/open-mongo.ts';
import { makeItemContent } from '../helpers/published.ts';

type Db = MongoDatabase['db'];

const email = (lookup: string) => ({
  ...{ lookup, channel: 'email' as const, sealed: 'sealed', verifiedAt: someTime, suppressed: null },
});

/** The database as a process sees it of which somebody else is a moment quicker with addresses. */
const outrun = (db: Db, quicker: () => Promise<unknown>): Db =>
  new Proxy(db, {
    get: (target, name) => {
      if (name !== 'collection') return Reflect.get(target, name);
      return (of: string) => {
        const collection = target.collection(of);
        const insertMany = collection.insertMany.bind(collection);
        if (of === 'addresses')
          collection.insertMany = async (...args: Parameters<typeof insertMany>) => {
            await quicker();
            return insertMany(...args);
          };
        return collection;
      };
    },
  });

describeWithMongo('MongoDB', () => {
  let db: Db;
  let close: () => Promise<void>;
  beforeEach(async () => {
    const opened = await openMongoHandles(1);
    [db] = opened.handles as [Db];
    close = opened.close;
  });
  afterEach(() => close());

  it('an import whose address somebody takes in the middle says so, and leaves nobody half made', async () => {
    const { subscriptions, addresses } = mongoStores(db, realEdges);
    const quicker = async () => {
      const { ordinal } = await subscriptions.insertSubscriber(makePerson({ id: 'quicker', externalId: 'q' }));
      await addresses.claim({ ...email('a'), subscriber: ordinal });
    };
    const { subscriptions: slow } = mongoStores(outrun(db, quicker), realEdges);
    const line = makeImported({ id: 'slow', externalId: 's', addresses: [email('a'), email('b')] });
    const other = makeImported({ id: 'other', externalId: 'o', addresses: [email('c')] });
    expect(await slow.importPeople([line, other])).toEqual([
      { outcome: 'taken', lookup: 'a' },
      { outcome: 'imported' },
    ]);
    expect(await subscriptions.subscriber({ externalId: 's' })).toBeNull();
    expect(await subscriptions.subscriber({ id: 'slow' })).toBeNull();
    expect(await addresses.find('b')).toBeNull();
    expect(await addresses.find('c')).not.toBeNull();
    // the name is free again
    expect(await subscriptions.importPeople([{ ...line, addresses: [email('b')] }])).toEqual([{ outcome: 'imported' }]);
    expect((await addresses.find('b'))?.subscriber).toBe(
      (await subscriptions.subscriber({ externalId: 's' }))?.ordinal,
    );
  });

  it('finds items by the day they were formed on and by department that were stored before these were fields', async () => {
    const { items, deadlines } = mongoStores(db, realEdges);
    const content = makeItemContent({ formedAt: '2026-02-01', departments: ['Water'] });
    for (const [id, fields] of Object.entries({ old: content, plain: makeItemContent() }))
      await items.insert(newItem({ id, externalId: null, content: fields, writer: 'staff-1' }, someTime));
    await db.collection('items').updateMany({}, { $unset: { formedAt: 1, departments: 1 } });
    const formed = async () =>
      (await deadlines.formed('2026-01-01', '2026-12-31', { unpublished: false, limit: 9 })).map(({ id }) => id);
    expect(await formed()).toEqual([]);
    await bringForward(db);
    await bringForward(db);
    expect(await formed()).toEqual(['old']);
    const ofWater = await items.list({ department: 'Water' }, { cursor: null, limit: 9 });
    expect(ofWater.rows.map(({ id }) => id)).toEqual(['old']);
  });
});
