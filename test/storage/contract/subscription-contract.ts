import { defineFollow } from '../../../src/subscriptions/follow.ts';
import type { AddressStore, SubscriptionStore } from '../../../src/subscriptions/subscription-store.ts';
import { followersOf, makePerson, makeSubscription, someTime, topicFollow } from '../../helpers/make-subscriber.ts';
import { eachPair, fullSize, type Pair } from './pair.ts';

type Stores = { subscriptions: SubscriptionStore; addresses: AddressStore };
export type OpenSubscriptions = () => Promise<Pair<Stores>>;

const housing = topicFollow('housing');
const housingHere = topicFollow('housing', ['110000']);
const transport = topicFollow('transport');

const malformed = ['unknown', '', "'; --", '$ne', '住房'];

/** What every subscription store keeps. */
export const describeSubscriptionStore = (name: string, open: OpenSubscriptions, { many: count } = fullSize): unknown =>
  describe(`subscription store: ${name}`, () => {
    let store: SubscriptionStore;
    let other: SubscriptionStore;
    let addresses: AddressStore;
    eachPair(open, ([one, two]) => {
      store = one.subscriptions;
      addresses = one.addresses;
      other = two.subscriptions;
    });

    const people = async (count: number): Promise<number[]> => {
      const ordinals: number[] = [];
      for (let n = 0; n < count; n++)
        ordinals.push((await store.insertSubscriber(makePerson({ id: `person-${n}` }))).ordinal);
      return ordinals;
    };

    describe('people', () => {
      it('get dense ordinals, and every fact comes back', async () => {
        const facts = makePerson({
          externalId: '城-1',
          region: '110101',
          timeZone: 'Asia/Shanghai',
          quietHours: { from: '22:00', to: '07:00' },
          digestHour: 0,
          attributes: { birthYear: 1980, occupation: ['教师'], nick: 'Ü' },
          consents: { personalisation: true },
        });
        const first = await store.insertSubscriber(facts);
        const second = await other.insertSubscriber(makePerson({ id: 'person-2' }));
        expect(second.ordinal).toBe(first.ordinal + 1);
        expect(first).toEqual({ ...facts, ordinal: first.ordinal, mergedInto: null, erasedAt: null });
        for (const by of [{ id: 'person-1' }, { ordinal: first.ordinal }, { externalId: '城-1' }])
          expect(await other.subscriber(by)).toEqual(first);
      });

      it('clash on a taken externalId or id, and the clash costs no ordinal', async () => {
        const { ordinal } = await store.insertSubscriber(makePerson({ externalId: 'x' }));
        const clashes = [makePerson({ id: 'person-2', externalId: 'x' }), makePerson()];
        for (const clash of clashes)
          await expect(other.insertSubscriber(clash)).rejects.toMatchObject({ code: 'conflict' });
        const next = await store.insertSubscriber(makePerson({ id: 'person-3' }));
        expect(next.ordinal).toBe(ordinal + 1);
        await expect(store.updateSubscriber(next.ordinal, { externalId: 'x' })).rejects.toMatchObject({
          code: 'conflict',
        });
      });

      it('take what they searched for along when they are erased, unless somebody else asks for it too', async () => {
        const searchOf = (word: string) =>
          defineFollow({ target: { search: { any: { keywords: [word] } } }, regions: null });
        const [own, shared] = [searchOf('only mine'), searchOf('ours')];
        const [ann = 0, ben = 0] = await people(2);
        await store.putFollows([own, shared, housing]);
        const asks: [number, { key: string }][] = [
          [ann, own],
          [ann, shared],
          [ann, housing],
          [ben, shared],
        ];
        for (const [subscriber, { key }] of asks)
          await store.putSubscription(
            makeSubscription({ id: `${subscriber} ${key}`, subscriber, follow: key, pace: 'immediate' }),
            true,
          );
        await store.erase(ann, someTime);
        const kept = await other.follows([own.key, shared.key, housing.key]);
        expect(kept.map(({ key }) => key).sort()).toEqual([shared.key, housing.key].sort());
        // who asks for it later is found by what they asked for
        await other.putFollows([own]);
        const again = makeSubscription({ id: 'again', subscriber: ben, follow: own.key, pace: 'immediate' });
        expect(await other.putSubscription(again, true)).toBe('added');
        expect((await store.subscriptionsOf(ben)).map(({ definition }) => definition.key)).toContain(own.key);
      });

      it('are null where unknown or malformed', async () => {
        for (const id of malformed) {
          expect(await store.subscriber({ id })).toBeNull();
          expect(await store.subscriber({ externalId: id })).toBeNull();
        }
        for (const ordinal of [0, -1, 1.5, 2 ** 53, 77]) expect(await store.subscriber({ ordinal })).toBeNull();
        expect(await store.updateSubscriber(77, { region: '110000' })).toBeNull();
      });

      it('change only in the fields that are named; null is not absent', async () => {
        const [ordinal = 0] = await people(1);
        await store.updateSubscriber(ordinal, {
          region: '110000',
          quietHours: { from: '21:00', to: '06:30' },
          digestHour: 23,
        });
        const changed = await other.updateSubscriber(ordinal, { region: null, consents: { personalisation: true } });
        expect(changed).toMatchObject({ region: null, quietHours: { from: '21:00' }, digestHour: 23, locale: 'en' });
        expect(await store.recipients([ordinal])).toMatchObject([{ digestHour: 23 }]);
        expect(await store.subscriber({ ordinal })).toEqual(changed);
      });

      it('keep the proof of a consent after it was withdrawn, and lose it when they are erased', async () => {
        const [ordinal = 0] = await people(1);
        expect(await store.subscriber({ ordinal })).toMatchObject({ consents: { personalisation: false } });
        const given = { at: someTime, how: 'page', wording: '同意书-1/zh-CN' } as const;
        for (const consents of [
          { personalisation: true, given },
          { personalisation: false, given, withdrawnAt: someTime + 1 },
          { personalisation: true, given: { ...given, how: 'api', wording: null } as const },
        ]) {
          await other.updateSubscriber(ordinal, { consents });
          await store.updateSubscriber(ordinal, { region: '110000' });
          expect((await store.subscriber({ ordinal }))?.consents).toEqual(consents);
        }
        await store.erase(ordinal, someTime);
        expect((await store.subscriber({ ordinal }))?.consents).toEqual({ personalisation: false });
      });

      it('wish for fewer suggestions and plain links, whomever they become, until they are erased', async () => {
        const [a = 0, b = 0] = await people(2);
        expect(await store.recipients([a])).toEqual([expect.not.objectContaining({ fewer: expect.anything() })]);
        await store.updateSubscriber(b, { fewer: true });
        await other.updateSubscriber(a, { plainLinks: true });
        await store.updateSubscriber(a, { region: '110000' });
        await store.merge(b, a, someTime);
        const both = { fewer: true, plainLinks: true };
        expect([await other.subscriber({ ordinal: a }), (await store.recipients([a]))[0]]).toMatchObject([both, both]);
        await store.updateSubscriber(a, { fewer: false });
        expect((await store.recipients([a]))[0]?.fewer ?? false).toBe(false);
        await store.erase(a, someTime);
        expect((await store.subscriber({ ordinal: a }))?.plainLinks ?? false).toBe(false);
      });

      it('are read with their addresses, 40,000 at once too', async () => {
        const [a = 0, b = 0] = await people(2);
        const claim = (subscriber: number, lookup: string, verifiedAt: number) =>
          addresses.claim({ lookup, subscriber, channel: 'sms', sealed: 's', verifiedAt, suppressed: null });
        await claim(a, 'second', someTime + 1);
        await claim(a, 'first', someTime);
        await claim(b, 'third', someTime);
        await addresses.suppress('third', 'bounced', 1);
        const recipients = await store.recipients([b, a, 77]);
        expect(recipients.map(({ ordinal }) => ordinal).sort()).toEqual([a, b]);
        const first = recipients.find(({ ordinal }) => ordinal === a);
        expect(first).toMatchObject({ id: 'person-0', locale: 'en', mergedInto: null, erasedAt: null });
        expect(first?.addresses.map(({ lookup }) => lookup)).toEqual(['first', 'second']);
        expect(recipients.find(({ ordinal }) => ordinal === b)?.addresses[0]?.suppressed).toBe('bounced');
        expect(await store.recipients([])).toEqual([]);
        expect(await store.recipients([a, a, b, a])).toEqual(await store.recipients([a, b]));
        const everybody = Array.from({ length: count }, (_, n) => n + 1);
        expect(await store.recipients(everybody)).toHaveLength(2);
      });

      it('leave nothing behind that tells who they were when they are erased', async () => {
        const { ordinal } = await store.insertSubscriber(
          makePerson({
            externalId: 'x',
            region: '110000',
            attributes: { birthYear: 1980 },
            timeZone: 'Asia/Tokyo',
            digestHour: 5,
          }),
        );
        await store.putFollows([housing]);
        await store.putSubscription(makeSubscription({ subscriber: ordinal }), true);
        const address = { lookup: 'l', subscriber: ordinal, channel: 'email', sealed: 's', verifiedAt: 1 } as const;
        await addresses.claim({ ...address, suppressed: null });
        await addresses.suppress('l', 'hard-bounce', 1);
        await store.erase(ordinal, someTime);
        await other.erase(ordinal, someTime + 5);
        expect(await store.subscriber({ ordinal })).toMatchObject({
          id: 'person-1',
          ordinal,
          externalId: null,
          region: null,
          timeZone: null,
          digestHour: null,
          attributes: {},
          erasedAt: someTime,
        });
        expect(await store.subscriber({ externalId: 'x' })).toBeNull();
        expect(await addresses.find('l')).toBeNull();
        expect(await addresses.suppression('l')).toBe('erased');
        expect(await followersOf(store, housing.key)).toEqual([]);
        expect((await store.subscriptionsOf(ordinal)).filter(({ stoppedAt }) => stoppedAt === null)).toEqual([]);
        expect(await store.recipients([ordinal])).toMatchObject([{ erasedAt: someTime, addresses: [] }]);
        await store.erase(77, someTime);
      });

      it('leave at a time that they may take back, until they are erased', async () => {
        const [a = 0, b = 0, c = 0, d = 0] = await people(4);
        const due = async (before: number, limit = 10) => (await other.leaving(before, limit)).sort((x, y) => x - y);
        for (const [ordinal, days] of [
          [a, 3],
          [b, 1],
          [c, 2],
          [d, 2],
        ] as const)
          expect(await store.leave(ordinal, someTime + days)).toBe(true);
        expect(await other.subscriber({ ordinal: a })).toMatchObject({ leavesAt: someTime + 3, erasedAt: null });
        expect(await other.recipients([a])).toMatchObject([{ leavesAt: someTime + 3 }]);
        expect(await due(someTime + 1)).toEqual([]);
        expect(await due(someTime + 3)).toEqual([b, c, d]);
        expect(await other.leaving(someTime + 9, 2)).toEqual([b, c]);
        expect(await other.leave(b, null)).toBe(true);
        expect(await store.leave(b, null)).toBe(true);
        expect(await store.subscriber({ ordinal: b })).not.toHaveProperty('leavesAt');
        expect((await store.recipients([b]))[0]).not.toHaveProperty('leavesAt');
        await store.updateSubscriber(a, { region: '110000' });
        expect(await store.subscriber({ ordinal: a })).toMatchObject({ leavesAt: someTime + 3 });
        await store.erase(c, someTime + 5);
        await store.merge(d, b, someTime + 5);
        expect(await due(someTime + 9)).toEqual([a]);
        for (const gone of [c, d, 77]) expect(await store.leave(gone, someTime)).toBe(false);
        expect(await due(someTime + 9)).toEqual([a]);
      });

      it('are merged once, never into themselves', async () => {
        const [a = 0, b = 0, c = 0] = await people(3);
        await store.merge(b, a, someTime);
        await other.merge(b, c, someTime);
        await store.merge(c, c, someTime);
        expect((await store.subscriber({ ordinal: b }))?.mergedInto).toBe(a);
        expect((await store.subscriber({ ordinal: c }))?.mergedInto).toBeNull();
        expect((await store.recipients([b]))[0]?.mergedInto).toBe(a);
      });
    });

    describe('distinct follows', () => {
      it('are stored once and found by key', async () => {
        await store.putFollows([housing, transport]);
        await other.putFollows([housing, housingHere, housingHere]);
        await store.putFollows([]);
        expect(await store.follows([transport.key, 'unknown', transport.key])).toEqual([transport]);
        expect(await store.follows([])).toEqual([]);
        expect(await other.follows([housingHere.key, ...malformed])).toEqual([housingHere]);
      });

      it('40,000 at once', async () => {
        const many = Array.from({ length: count }, (_, n) => topicFollow(`题目-${n}`));
        await store.putFollows(many);
        expect(await store.follows(many.map(({ key }) => key))).toHaveLength(count);
      });
    });

    describe('subscriptions', () => {
      beforeEach(() => store.putFollows([housing, housingHere, transport]));

      it('come back whole, with what they follow, oldest first', async () => {
        const [subscriber = 0] = await people(1);
        const late = makeSubscription({
          subscriber,
          channels: ['sms', 'email'],
          pace: 'weekly',
          createdAt: someTime + 1,
        });
        const early = makeSubscription({ subscriber, id: 'early', follow: transport.key, origin: 'import' });
        expect(await store.putSubscription(late, true)).toBe('added');
        expect(await other.putSubscription(early, false)).toBe('added');
        expect(await store.subscriptionsOf(subscriber)).toEqual([
          { ...early, definition: transport },
          { ...late, definition: housing },
        ]);
        expect(await store.subscriptionsOf(77)).toEqual([]);
      });

      it('need a stored follow', async () => {
        const [subscriber = 0] = await people(1);
        await expect(store.putSubscription(makeSubscription({ subscriber, follow: 'none' }), true)).rejects.toThrow();
      });

      it('are one for a person and a follow; an update keeps id and time', async () => {
        const [subscriber = 0] = await people(1);
        await store.putSubscription(makeSubscription({ subscriber }), true);
        const again = makeSubscription({ subscriber, id: 'again', pace: 'daily', createdAt: someTime + 9 });
        expect(await other.putSubscription(again, true)).toBe('updated');
        expect(await store.subscriptionsOf(subscriber)).toMatchObject([
          { id: 'subscription-1', pace: 'daily', createdAt: someTime },
        ]);
      });

      it('live again only when they are revived', async () => {
        const [subscriber = 0] = await people(1);
        const wish = makeSubscription({ subscriber });
        await store.putSubscription(wish, true);
        expect(await store.stop(subscriber, 'all', someTime + 1)).toBe(1);
        expect(await store.putSubscription(wish, false)).toBe('left-stopped');
        expect((await store.subscriptionsOf(subscriber))[0]?.stoppedAt).toBe(someTime + 1);
        expect(await store.putSubscription(wish, true)).toBe('updated');
        expect((await store.subscriptionsOf(subscriber))[0]?.stoppedAt).toBeNull();
      });

      it('have followers in order, without those who stopped', async () => {
        const ordinals = await people(5);
        for (const subscriber of [...ordinals].reverse())
          await store.putSubscription(makeSubscription({ subscriber, id: `s-${subscriber}` }), true);
        await store.stop(ordinals[2] ?? 0, 'all', someTime);
        const [a, b, , d, e] = ordinals;
        expect(await followersOf(store, housing.key)).toEqual([a, b, d, e]);
        expect(await followersOf(store, transport.key)).toEqual([]);
        for (const key of malformed) expect(await followersOf(store, key)).toEqual([]);
      });

      it('are counted by source, a person once', async () => {
        const [a = 0, b = 0, c = 0] = await people(3);
        const put = (subscriber: number, follow: string, id: string) =>
          store.putSubscription(makeSubscription({ subscriber, follow, id }), true);
        await put(a, housing.key, '1');
        await put(a, housingHere.key, '2');
        await put(b, housingHere.key, '3');
        await put(c, transport.key, '4');
        const sources = [housing.source, transport.source, 'subscription:topic:none'];
        expect([...(await store.followerCounts(sources))]).toEqual([
          [housing.source, 2],
          [transport.source, 1],
          ['subscription:topic:none', 0],
        ]);
        await store.stop(a, { id: '2' }, someTime);
        await store.stop(c, 'all', someTime);
        await store.erase(b, someTime);
        expect([...(await store.followerCounts(sources)).values()]).toEqual([1, 0, 0]);
        await put(c, transport.key, '4');
        expect((await store.followerCounts(sources)).get(transport.source)).toBe(1);
        expect([...(await store.followerCounts([]))]).toEqual([]);
      });

      it('are held by whom and of what was asked, while they live', async () => {
        const [a = 0, b = 0, c = 0] = await people(3);
        await store.putSubscription(makeSubscription({ subscriber: a, id: '1' }), true);
        await store.putSubscription(makeSubscription({ subscriber: a, id: '2', follow: transport.key }), true);
        await store.putSubscription(makeSubscription({ subscriber: b, id: '3' }), true);
        await store.putSubscription(makeSubscription({ subscriber: c, id: '4' }), true);
        await store.stop(c, { follows: [housing.key] }, someTime);
        const ids = async (follows: string[], ordinals: number[]) =>
          (await store.holding(follows, ordinals)).map(({ id }) => id).sort();
        expect(await ids([housing.key], [a, b, c, 77])).toEqual(['1', '3']);
        expect(await ids([housing.key, transport.key, 'x'], [a])).toEqual(['1', '2']);
        expect(await ids([], [a])).toEqual([]);
        expect(await ids([housing.key], [])).toEqual([]);
        const everybody = Array.from({ length: count }, (_, n) => n + 1);
        const manyKeys = Array.from({ length: count }, (_, n) => `key-${n}`);
        expect(await ids([...manyKeys, housing.key], everybody)).toEqual(['1', '3']);
        expect(await store.holding([housing.key], [b])).toEqual([makeSubscription({ subscriber: b, id: '3' })]);
      });

      it('are stopped one by one, by what they follow, or all; and only those of that person', async () => {
        const [a = 0, b = 0] = await people(2);
        for (const [subscriber, follow, id] of [
          [a, housing.key, '1'],
          [a, transport.key, '2'],
          [a, housingHere.key, '3'],
          [b, housing.key, '4'],
        ] as const)
          await store.putSubscription(makeSubscription({ subscriber, follow, id }), true);
        expect(await store.stop(a, { id: '4' }, someTime)).toBe(0);
        expect(await store.stop(a, { id: '1' }, someTime)).toBe(1);
        expect(await other.stop(a, { id: '1' }, someTime + 1)).toBe(0);
        expect(await store.stop(a, { follows: [] }, someTime)).toBe(0);
        expect(await store.stop(a, { follows: [housing.key, transport.key, 'x'] }, someTime)).toBe(1);
        expect(await store.stop(a, 'all', someTime)).toBe(1);
        expect(await store.stop(a, 'all', someTime)).toBe(0);
        expect(await store.stop(77, 'all', someTime)).toBe(0);
        expect(await followersOf(store, housing.key)).toEqual([b]);
      });

      it('change in pace and channels while they live; null channels are not absent ones', async () => {
        const [a = 0, b = 0] = await people(2);
        await store.putSubscription(makeSubscription({ subscriber: a, channels: ['sms'] }), true);
        expect(await store.changeSubscription(a, 'subscription-1', { pace: 'weekly' })).toBe(true);
        expect(await store.subscriptionsOf(a)).toMatchObject([{ pace: 'weekly', channels: ['sms'] }]);
        expect(await other.changeSubscription(a, 'subscription-1', { channels: null })).toBe(true);
        expect(await store.subscriptionsOf(a)).toMatchObject([{ pace: 'weekly', channels: null }]);
        expect(await store.changeSubscription(b, 'subscription-1', { pace: 'daily' })).toBe(false);
        expect(await store.changeSubscription(a, 'unknown', { pace: 'daily' })).toBe(false);
        await store.stop(a, 'all', someTime);
        expect(await store.changeSubscription(a, 'subscription-1', { pace: 'daily' })).toBe(false);
      });
    });
  });
