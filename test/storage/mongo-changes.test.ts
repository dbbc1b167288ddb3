import { setTimeout } from 'node:timers/promises';
import { realEdges } from '../../src/edges.ts';
import { changeCollections } from '../../src/storage/mongo/changes.ts';
import type { MongoDatabase } from '../../src/storage/mongo/connection.ts';
import { mongoStores } from '../../src/storage/mongo/mongo-storage.ts';
import { takeNumbers } from '../../src/storage/mongo/writes.ts';
import { makePerson } from '../helpers/make-subscriber.ts';
import { describeWithMongo, openMongoHandles } from '../helpers/open-mongo.ts';

const start = Date.parse('2026-03-01T08:30:00Z');
const minute = 60_000;
const day = 1_440 * minute;

describeWithMongo('change rows on MongoDB', () => {
  let db: MongoDatabase['db'];
  let close: () => Promise<void>;
  let stores: ReturnType<typeof mongoStores>;
  let waited = 0;
  beforeEach(async () => {
    const opened = await openMongoHandles(1);
    [db, close] = [opened.handles[0] as MongoDatabase['db'], opened.close];
    stores = mongoStores(db, { ...realEdges, monotonic: () => realEdges.monotonic() + waited });
    for (const id of ['a', 'b']) await stores.subscriptions.insertSubscriber(makePerson({ id }));
  });
  afterEach(() => close());

  const rows = (): Promise<number> => changeCollections(db).rows.countDocuments();
  const since = async (after: number): Promise<number[]> =>
    (await stores.audience.changes(after, 100)).map(({ ordinal }) => ordinal);

  it('go when they are a day old; those of the last day stay', async () => {
    await stores.audience.sweepChanges(start);
    await stores.subscriptions.updateSubscriber(1, { region: '110000' });
    await stores.audience.sweepChanges(start + day - 1);
    expect(await rows()).toBe(3);
    await stores.audience.sweepChanges(start + day);
    expect(await rows()).toBe(1);
    expect(await since(0)).toEqual([2, 1]);
    await stores.audience.sweepChanges(start + 3 * day);
    expect(await rows()).toBe(0);
    expect(await since(0)).toEqual([2, 1]);
    expect(await since(1)).toEqual([2, 1]);
    expect(await since(2)).toEqual([1]);
  });

  it('that are under way hold up what comes after them, not for good', async () => {
    const seq = await takeNumbers(db, 'changes', 1);
    await changeCollections(db).rows.insertOne({ _id: seq, subscriber: 1, state: 'open' });
    await stores.subscriptions.updateSubscriber(2, { region: '110000' });
    await stores.audience.sweepChanges(start);
    await stores.audience.sweepChanges(start + day);
    expect(await rows()).toBe(2);
    await changeCollections(db).rows.updateOne({ _id: seq }, { $set: { state: 'done' } });
    await stores.audience.sweepChanges(start + day + minute);
    expect(await rows()).toBe(0);
    expect(await since(seq - 1)).toEqual([1, 2]);
  });

  it('of a writer that was given up, wrote after all and died are told again, ever more seldom, for a day', async () => {
    const seq = await takeNumbers(db, 'changes', 1);
    await changeCollections(db).rows.insertOne({ _id: seq, subscriber: 1, state: 'open' });
    const told = since(seq - 1);
    // the reader has looked and waits
    await setTimeout(50);
    waited += 10_000;
    expect(await told).toEqual([1]);
    await db.collection<{ _id: number }>('subscribers').updateOne({ _id: 1 }, { $set: { region: '310000' } });
    expect(await since(seq)).toEqual([]);

    const after = [0, 1, minute, 2 * minute, 3 * minute, 4 * minute];
    const again: number[] = [];
    for (const later of after) again.push(await stores.audience.sweepChanges(start + later));
    expect(again).toEqual([1, 0, 1, 1, 0, 1]);
    expect(await since(seq)).toEqual([1]);
    expect(await stores.audience.people([1])).toMatchObject([{ region: '310000' }]);
    await stores.audience.sweepChanges(start + day);
    expect(await changeCollections(db).givenUp.countDocuments()).toBe(0);
  });
});
