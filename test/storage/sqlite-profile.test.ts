import { levelOf } from '../../src/profiles/interest.ts';
import { foldUnder } from '../../src/profiles/profile-fold.ts';
import type { SqliteDatabase } from '../../src/storage/sqlite/database.ts';
import { sqliteStorage } from '../../src/storage/sqlite/sqlite-storage.ts';
import { countTurns, pausesOf } from '../helpers/count-turns.ts';
import { makePerson, someTime } from '../helpers/make-subscriber.ts';
import { openFile, openMemory } from '../helpers/open-sqlite.ts';
import { describeProfileStore, makeEvent } from './contract/profile-contract.ts';

describeProfileStore('SQLite in memory', async () => {
  const db = await openMemory();
  const stores = sqliteStorage(db);
  return { stores: [stores, stores], close: db.close };
});

describeProfileStore('SQLite, two handles on one file', async () => {
  const { handles, close } = await openFile(2);
  const [one, two] = handles as [SqliteDatabase, SqliteDatabase];
  return { stores: [sqliteStorage(one), sqliteStorage(two)], close: close };
});

describe('taking events in on SQLite', () => {
  it('leaves a page time to be asked for and answered between two writes', async () => {
    const opened = await openMemory();
    const turns = countTurns();
    const writtenAt: number[] = [];
    const db: SqliteDatabase = {
      ...opened,
      commit: (work) => {
        writtenAt.push(turns.now());
        return opened.commit(work);
      },
    };
    const stores = sqliteStorage(db);
    const consents = { personalisation: true };
    const people = await Promise.all(
      Array.from({ length: 400 }, (_, n) =>
        stores.subscriptions.insertSubscriber(makePerson({ id: `p${n}`, externalId: `p${n}`, consents })),
      ),
    );
    writtenAt.length = 0;
    const events = people.map(({ ordinal }) => makeEvent({ ordinal }));
    expect((await stores.profiles.absorb(events, foldUnder(new Map([['housing', null]])))).size).toBe(400);
    turns.end();
    const pauses = pausesOf(writtenAt);
    // at most 110 people a write: whoever waits for a page waits for no more
    expect(pauses).toHaveLength(3);
    for (const pause of pauses) expect(pause).toBeGreaterThanOrEqual(3);
    await opened.close();
  });
});

describe('what SQLite keeps for the audience index', () => {
  it('is the level of every topic with an interest, by topic number, and the last active day', async () => {
    const db = await openMemory();
    const stores = sqliteStorage(db);
    const consents = { personalisation: true };
    const { ordinal } = await stores.subscriptions.insertSubscriber(makePerson({ consents }));
    const add = (slug: string) =>
      stores.catalogue.insertTopic({ slug, title: { en: 'x', 'zh-CN': 'x' }, parent: null });
    await add('services');
    await add('housing');
    const fold = foldUnder(new Map([['housing', 'services']]));
    const kept = () =>
      db.prepare('SELECT levels, last_active_day FROM profiles WHERE subscriber = ?').get(ordinal) as {
        levels: string;
        last_active_day: number;
      };

    await stores.profiles.absorb([makeEvent({ ordinal }), makeEvent({ ordinal, topics: ['unknown'] })], fold);
    const sums = (await stores.profiles.profile(ordinal))?.interests;
    const levels = ['services', 'housing'].map((slug) => levelOf(sums?.[slug]?.sum ?? 0));
    expect(kept()).toEqual({
      levels: `1,${levels[0]},2,${levels[1]}`,
      last_active_day: Math.floor(someTime / 86_400_000),
    });

    // a disliked topic has no level, a topic that is added later has one as soon as something is done about it
    await add('later');
    await stores.profiles.absorb([makeEvent({ ordinal, kind: 'not-for-me' })], fold);
    expect(kept().levels).toBe('');
    await stores.profiles.absorb([makeEvent({ ordinal, topics: ['later'] })], fold);
    const later = (await stores.profiles.profile(ordinal))?.interests.later;
    expect(kept().levels).toBe(`3,${levelOf(later?.sum ?? 0)}`);
    await db.close();
  });
});
