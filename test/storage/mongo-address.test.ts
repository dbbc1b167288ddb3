import { mongoAddressStore } from '../../src/storage/mongo/address-store.ts';
import type { MongoDatabase } from '../../src/storage/mongo/connection.ts';
import { describeWithMongo, openMongoHandles, pairOnMongo } from '../helpers/open-mongo.ts';
import { describeAddressStore } from './contract/address-contract.ts';

describeWithMongo('addresses on MongoDB', () => {
  describeAddressStore('MongoDB', pairOnMongo(mongoAddressStore));

  it('lists suppressions from before times were kept, last', async () => {
    const { handles, close } = await openMongoHandles(1);
    const db = handles[0] as MongoDatabase['db'];
    const store = mongoAddressStore(db);
    await db.collection<{ _id: string; reason: string }>('suppressions').insertMany([
      { _id: 'b', reason: 'complaint' },
      { _id: 'a', reason: 'complaint' },
    ]);
    await store.suppress('c', 'hard-bounce', 5);
    const seen: [string, number][] = [];
    let cursor: string | null = null;
    do {
      const page: Awaited<ReturnType<typeof store.suppressions>> = await store.suppressions(null, { cursor, limit: 1 });
      seen.push(...page.rows.map(({ lookup, at }): [string, number] => [lookup, at]));
      cursor = page.next;
    } while (cursor !== null);
    expect(seen).toEqual([
      ['c', 5],
      ['a', 0],
      ['b', 0],
    ]);
    expect(await store.suppressedSince('a')).toBe(0);
    await close();
  });
});
