import { realEdges } from '../../src/edges.ts';
import { foldUnder } from '../../src/profiles/profile-fold.ts';
import type { MongoDatabase } from '../../src/storage/mongo/connection.ts';
import { mongoStores } from '../../src/storage/mongo/mongo-storage.ts';
import { settleDebts } from '../../src/storage/mongo/people/people.ts';
import { Crash, crashingAfter } from '../helpers/crashing-mongo.ts';
import { makeImported, makePerson, makeSubscription, someTime, topicFollow } from '../helpers/make-subscriber.ts';
import { describeWithMongo, openMongoHandles } from '../helpers/open-mongo.ts';
import { makeEvent } from './contract/profile-contract.ts';

type Db = MongoDatabase['db'];
type Stores = ReturnType<typeof mongoStores>;

/** Whoever waits for a number has waited long enough after two looks. */
const hurried = () => {
  let at = 0;
  return { ...realEdges, monotonic: () => (at += 6_000) };
};

const housing = topicFollow('housing');
const transport = topicFollow('transport');
const fold = foldUnder(new Map([['housing', null]]));
const address = (lookup: string, subscriber: number) =>
  ({ lookup, subscriber, channel: 'email', sealed: 's', verifiedAt: someTime, suppressed: null }) as const;
const email = { lookup: 'new', channel: 'email', sealed: 's', verifiedAt: someTime } as const;
const wish = (key: string, id: string) => ({ key, id, pace: 'immediate' as const, channels: null });

/** Persons 1 and 2, each with an address, a follow, a profile and a browser. */
const settle = async (stores: Stores): Promise<void> => {
  const { subscriptions, addresses, profiles, catalogue } = stores;
  await catalogue.insertTopic({ slug: 'housing', title: { en: 'x', 'zh-CN': 'x' }, parent: null });
  await subscriptions.putFollows([housing]);
  for (const n of [1, 2]) {
    const consents = { personalisation: true };
    const person = makePerson({ id: `person-${n}`, externalId: `x-${n}`, consents });
    const { ordinal } = await subscriptions.insertSubscriber(person);
    await addresses.claim(address(`address-${n}`, ordinal));
    await subscriptions.putSubscription(makeSubscription({ subscriber: ordinal, id: `s-${n}` }), true);
    await subscriptions.optOut(ordinal, [`rule-${n}`], someTime);
    await profiles.absorb([makeEvent({ ordinal })], fold);
    await profiles.tieVisitor(`browser-${n}`, ordinal, someTime);
  }
};

/** A number that was taken for nothing leaves a hole; whoever comes third may have another one. */
const namelessly = (value: object): object =>
  JSON.parse(
    JSON.stringify(value, (key, one) =>
      (['ordinal', 'subscriber', 'third'].includes(key) && one > 2) || (key === 'no' && one > 1) ? 'new' : one,
    ),
  );

/** Everything there is of persons 1 and 2 and a new one, as the service sees it. */
const view = async ({ subscriptions, addresses, profiles, audience }: Stores) => {
  const third = (await subscriptions.subscriber({ externalId: 'new' }))?.ordinal ?? 3;
  const everybody = [...new Set([1, 2, third])];
  return namelessly({
    third,
    people: await subscriptions.recipients(everybody),
    named: (await subscriptions.subscriber({ externalId: 'x-1' }))?.ordinal,
    addresses: await addresses.ofSubscribers(everybody),
    suppressed: await Promise.all(['address-1', 'address-2', 'new'].map((lookup) => addresses.suppression(lookup))),
    follows: await Promise.all(everybody.map((ordinal) => subscriptions.subscriptionsOf(ordinal))),
    optOuts: (await subscriptions.optOuts(everybody)).map((one) => JSON.stringify(one)).sort(),
    profiles: await Promise.all(everybody.map((ordinal) => profiles.profile(ordinal))),
    events: await Promise.all(everybody.map((ordinal) => profiles.eventsOf(ordinal, 10))),
    visitors: await Promise.all(['browser-1', 'browser-2'].map((visitor) => profiles.visitor(visitor))),
    indexed: await audience.people(everybody),
    numbered: await audience.follows(0, 10),
  });
};

const conflictIsDone = async (work: Promise<unknown>): Promise<void> => {
  await work.catch((error: { code?: string }) => {
    if (error.code !== 'conflict') throw error;
  });
};

/** What a process may be killed in; each is called again by whoever asked for it. */
const verbs: [string, (stores: Stores) => Promise<unknown>][] = [
  [
    'a new person',
    ({ subscriptions }) =>
      conflictIsDone(subscriptions.insertSubscriber(makePerson({ id: 'person-3', externalId: 'new' }))),
  ],
  ['a new name', ({ subscriptions }) => subscriptions.updateSubscriber(1, { externalId: 'new', region: 'US' })],
  [
    'consent taken back',
    ({ subscriptions }) => subscriptions.updateSubscriber(1, { consents: { personalisation: false } }),
  ],
  ['an erasure', ({ subscriptions }) => subscriptions.erase(1, someTime)],
  ['a merge', ({ subscriptions }) => subscriptions.merge(2, 1, someTime)],
  ['new follows', ({ subscriptions }) => subscriptions.putFollows([transport])],
  ['an end to everything', ({ subscriptions }) => subscriptions.stop(1, 'all', someTime)],
  ['an address', ({ addresses }) => addresses.claim(address('new', 2))],
  ['a suppression', ({ addresses }) => addresses.suppress('address-1', 'complaint', 1)],
  [
    'the import of somebody new',
    ({ subscriptions }) =>
      subscriptions.importPeople([
        makeImported({ id: 'p', externalId: 'new', addresses: [email], follows: [wish(housing.key, 'i')] }),
      ]),
  ],
  [
    'the import of somebody known',
    ({ subscriptions }) =>
      subscriptions.importPeople([
        makeImported({
          ...{ id: 'p', externalId: 'x-1', addresses: [email] },
          fields: { region: 'US', consents: { personalisation: false } },
        }),
      ]),
  ],
];

describeWithMongo('people on MongoDB, when a process is killed', () => {
  const onFresh = async (work: (db: Db, stores: Stores) => Promise<void>): Promise<void> => {
    const { handles, close } = await openMongoHandles(1);
    const [db] = handles;
    if (!db) throw new Error('a handle was asked for');
    const stores = mongoStores(db, hurried());
    await settle(stores);
    await work(db, stores);
    await close();
  };

  it.each(verbs)(
    'finish %s when it is asked for again, and tell the index',
    async (_what, verb) => {
      let whole: unknown;
      await onFresh(async (_, stores) => {
        await verb(stores);
        whole = await view(stores);
      });
      for (let survived = 0, died = true; died; survived++)
        await onFresh(async (db, stores) => {
          const before = await stores.audience.people([1, 2, 3, 4]);
          const since = await stores.audience.sequence();
          died = await verb(mongoStores(crashingAfter(db, survived), hurried())).then(
            () => false,
            (error: unknown) => {
              if (!(error instanceof Crash)) throw error;
              return true;
            },
          );
          await verb(stores);
          await settleDebts(db);
          expect({ survived, ...(await view(stores)) }).toEqual({ survived, ...(whole as object) });
          const told = (await stores.audience.changes(since, 100)).map(({ ordinal }) => ordinal);
          const after = await stores.audience.people([1, 2, 3, 4]);
          const changed = [1, 2, 3, 4].filter((n) => {
            const of = (people: typeof after) => JSON.stringify(people.find(({ ordinal }) => ordinal === n));
            return of(before) !== of(after);
          });
          expect(told).toEqual(expect.arrayContaining(changed));
        });
    },
    120_000,
  );

  it.each([
    ['an erasure', 1, (stores: Stores) => stores.subscriptions.erase(1, someTime)],
    ['a merge', 2, (stores: Stores) => stores.subscriptions.merge(2, 1, someTime)],
    [
      'consent taken back',
      1,
      (stores: Stores) => stores.subscriptions.updateSubscriber(1, { consents: { personalisation: false } }),
    ],
  ])(
    'finish %s by the sweep alone, once it has begun',
    async (_what, ordinal, verb) => {
      let whole: unknown;
      await onFresh(async (_, stores) => {
        await verb(stores);
        whole = await view(stores);
      });
      for (let survived = 0, died = true; died; survived++)
        await onFresh(async (db, stores) => {
          died = await verb(mongoStores(crashingAfter(db, survived), hurried())).then(
            () => false,
            () => true,
          );
          const begun = (await db.collection<{ _id: number; owes: unknown }>('subscribers').findOne({ _id: ordinal }))
            ?.owes;
          await settleDebts(db);
          if (begun) expect({ survived, ...(await view(stores)) }).toEqual({ survived, ...(whole as object) });
        });
    },
    120_000,
  );

  it('fold no event in twice, and lose none that was folded in', async () => {
    for (let survived = 0, died = true; died; survived++)
      await onFresh(async (db, stores) => {
        const event = makeEvent({ ordinal: 1, at: someTime + 1 });
        died = await mongoStores(crashingAfter(db, survived), hurried())
          .profiles.absorb([event], fold)
          .then(
            () => false,
            () => true,
          );
        const events = (await stores.profiles.eventsOf(1, 10)).length;
        const counted = (await stores.profiles.profile(1))?.interests.housing?.counts.view;
        expect({ survived, events }).toEqual({ survived, events: counted });
        await stores.profiles.absorb([makeEvent({ ordinal: 1, at: someTime + 2 })], fold);
        expect(await stores.profiles.eventsOf(1, 10)).toHaveLength(events + 1);
      });
  }, 120_000);
});

describeWithMongo('change numbers on MongoDB', () => {
  it('wait for a write that is under way, and give it up after ten seconds', async () => {
    const { handles, close } = await openMongoHandles(1);
    const [db] = handles as [Db];
    let now = 0;
    const stores = mongoStores(db, { ...realEdges, monotonic: () => now });
    const { ordinal } = await stores.subscriptions.insertSubscriber(makePerson());
    const since = await stores.audience.sequence();
    // a process that died between its number and its write, and one that died before its row was there
    await expect(
      mongoStores(crashingAfter(db, 2), realEdges).subscriptions.updateSubscriber(ordinal, { region: 'US' }),
    ).rejects.toThrow(Crash);
    await expect(
      mongoStores(crashingAfter(db, 1), realEdges).subscriptions.updateSubscriber(ordinal, { region: 'US' }),
    ).rejects.toThrow(Crash);
    let answered = false;
    const told = stores.audience.changes(since, 10).then((changes) => {
      answered = true;
      return changes;
    });
    await stores.audience.sequence();
    await stores.audience.sequence();
    expect(answered).toBe(false);
    for (; !answered; now += 2_000) await stores.audience.sequence();
    expect((await told).map((change) => change.ordinal)).toEqual([ordinal, 0]);
    await close();
  });
});
