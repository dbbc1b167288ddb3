import { openSqlite, type SqliteDatabase } from '../../src/storage/sqlite/database.ts';
import { migrate } from '../../src/storage/sqlite/migrations.ts';
import { sqliteSubscriptionStore } from '../../src/storage/sqlite/subscription-store.ts';
import { follows, personOf, pick, randomFrom, searchesOf, topic, topicCount } from './town.ts';

const peopleInOneWrite = 500;

/** Rows of the same people as in memory; written in bulk, because what is measured is the reading. */
export const townInSqlite = async (file: string, people: number): Promise<SqliteDatabase> => {
  const db = openSqlite(file);
  await migrate(db);
  const insert = (table: string, columns: string, values: string) =>
    db.prepare(`INSERT INTO ${table} (${columns}) SELECT ${values} FROM json_each(?)`);
  const each = (count: number): string => Array.from({ length: count }, (_, at) => `value ->> ${at}`).join(', ');
  const topics = insert('topics', 'no, slug, title', `${each(2)}, '{}'`);
  const definitions = insert('follows', 'no, key, source, definition', each(4));
  const subscribers = insert(
    'subscribers',
    'ordinal, id, locale, region, attributes, personalisation, created_at',
    `${each(6)}, 0`,
  );
  const subscriptions = insert(
    'subscriptions',
    'subscriber, follow, id, pace, origin, created_at',
    `${each(3)}, 0, 0, 0`,
  );
  const addresses = insert(
    'addresses',
    'subscriber, channel, lookup, sealed, verified_at',
    `${each(3)}, '${'x'.repeat(90)}', 0`,
  );
  const profiles = insert('profiles', 'subscriber, levels, last_active_day', each(3));

  await db.write(() =>
    topics.run(JSON.stringify(Array.from({ length: topicCount }, (_, at) => [at + 1, topic(at + 1)]))),
  );
  const all = [...follows(searchesOf(people))].map(({ no, key, source, ...definition }) => [
    no,
    key,
    source,
    JSON.stringify(definition),
  ]);
  for (let at = 0; at < all.length; at += 5_000)
    await db.write(() => definitions.run(JSON.stringify(all.slice(at, at + 5_000))));
  for (let first = 1; first <= people; first += peopleInOneWrite) {
    const some = Array.from({ length: Math.min(peopleInOneWrite, people + 1 - first) }, (_, at) =>
      personOf(first + at, searchesOf(people)),
    );
    const rows = (list: unknown[][]): string => JSON.stringify(list);
    await db.write(() => {
      subscribers.run(
        rows(
          some.map((one) => [
            one.ordinal,
            `id-${one.ordinal}`,
            one.locale,
            one.region,
            JSON.stringify(one.attributes),
            one.personalisation ? 1 : 0,
          ]),
        ),
      );
      subscriptions.run(
        rows(some.flatMap((one) => one.follows.map((no) => [one.ordinal, no, `subscription-${one.ordinal}-${no}`]))),
      );
      addresses.run(
        rows(
          some.flatMap((one) => one.channels.map((channel) => [one.ordinal, channel, `${channel} of ${one.ordinal}`])),
        ),
      );
      profiles.run(rows(some.map((one) => [one.ordinal, one.interests.join(','), one.lastActiveDay])));
    });
  }
  return db;
};

/** Changes people through the store, then lets `follow` take them in: people a second of the following alone. */
export const changeInSqlite = async (
  db: SqliteDatabase,
  people: number,
  follow: () => Promise<number>,
): Promise<number> => {
  const store = sqliteSubscriptionStore(db);
  const random = randomFrom(5);
  const changed = Math.min(people, 5_000);
  for (let at = 0; at < changed; at++)
    await store.updateSubscriber(1 + Math.floor(random() * people), {
      region: pick(random, ['110100', '120200', '130300']),
    });
  const start = performance.now();
  const followed = await follow();
  return followed / ((performance.now() - start) / 1_000);
};
