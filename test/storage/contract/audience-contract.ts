import type { AudienceStore } from '../../../src/audience/audience-store.ts';
import type { CatalogueStore } from '../../../src/catalogue/catalogue-store.ts';
import { levelOf, scaledWeight } from '../../../src/profiles/interest.ts';
import { foldUnder, forgetInterest } from '../../../src/profiles/profile-fold.ts';
import type { ProfileStore } from '../../../src/profiles/profile-store.ts';
import { defineFollow } from '../../../src/subscriptions/follow.ts';
import type { AddressStore, NewSubscriber, SubscriptionStore } from '../../../src/subscriptions/subscription-store.ts';
import { makeImported, makePerson, makeSubscription, someTime, topicFollow } from '../../helpers/make-subscriber.ts';
import { eachPair, fullSize } from './pair.ts';
import { makeEvent } from './profile-contract.ts';

type AudienceStores = {
  audience: AudienceStore;
  subscriptions: SubscriptionStore;
  addresses: AddressStore;
  profiles: ProfileStore;
  catalogue: CatalogueStore;
};
export type OpenAudience = () => Promise<{ stores: [AudienceStores, AudienceStores]; close: () => Promise<void> }>;

const housing = topicFollow('housing');
const search = defineFollow({ target: { search: { all: { keywords: ['水'] } } }, regions: ['110000'] });
const consents = { personalisation: true };
const fold = foldUnder(new Map([['housing', null]]));

const address = (lookup: string, subscriber: number, channel: 'email' | 'sms' = 'email') => ({
  lookup,
  subscriber,
  channel,
  sealed: `sealed ${lookup}`,
  verifiedAt: someTime,
  suppressed: null,
});

/** What every store that an audience index is built from keeps. */
export const describeAudienceStore = (name: string, open: OpenAudience, { many: count } = fullSize): unknown =>
  describe(`audience store: ${name}`, () => {
    let one: AudienceStores;
    let other: AudienceStores;
    eachPair(open, async (stores) => {
      [one, other] = stores;
      await one.subscriptions.putFollows([housing, search]);
    });

    const person = async (fields: Partial<NewSubscriber> = {}): Promise<number> =>
      (await one.subscriptions.insertSubscriber(makePerson(fields))).ordinal;
    const follow = (subscriber: number, key: string, fields = {}) =>
      one.subscriptions.putSubscription(
        makeSubscription({ id: `${subscriber} ${key}`, subscriber, follow: key, ...fields }),
        true,
      );
    const numberOf = async (key: string): Promise<number> =>
      (await one.audience.follows(0, 100)).find((definition) => definition.key === key)?.no ?? 0;

    it('leaves contacts out, whatever they are asked by', async () => {
      const known = await person({ consents });
      const contact = await person({ id: 'contact-1', consents, contact: true });
      await one.addresses.claim(address('reply', contact));
      await follow(contact, housing.key);
      expect((await other.audience.people([known, contact])).map(({ ordinal }) => ordinal)).toEqual([known]);
      expect((await other.audience.scan(0, 10)).people.map(({ ordinal }) => ordinal)).toEqual([known]);
    });

    it('answers a person with all that the index holds of them', async () => {
      await one.catalogue.insertTopic({ slug: 'housing', title: { en: 'Housing', 'zh-CN': '住房' }, parent: null });
      const attributes = { birthYear: 1980, occupation: ['教师', 'teacher'] };
      const ordinal = await person({ locale: 'zh-CN', region: '110101', attributes, consents });
      await one.addresses.claim(address('a', ordinal));
      await one.addresses.claim(address('b', ordinal));
      await one.addresses.claim(address('c', ordinal, 'sms'));
      await follow(ordinal, housing.key);
      await follow(ordinal, search.key);
      await one.profiles.absorb([makeEvent({ ordinal })], fold);
      const [told] = await other.audience.people([ordinal]);
      const topic = (await one.audience.topicNumbers()).get('housing');
      expect(told).toEqual({
        ordinal,
        region: '110101',
        locale: 'zh-CN',
        attributes,
        personalisation: true,
        channels: ['email', 'sms'],
        follows: expect.arrayContaining([await numberOf(housing.key), await numberOf(search.key)]),
        interests: [topic, levelOf(scaledWeight(1, someTime))],
        lastActiveDay: Math.floor(someTime / 86_400_000),
      });
      expect(told?.follows).toHaveLength(2);
      expect((await other.audience.scan(0, 10)).people).toEqual([told]);
    });

    it('answers nothing for what a person has not told', async () => {
      const ordinal = await person();
      expect(await one.audience.people([ordinal])).toEqual([
        {
          ordinal,
          region: null,
          locale: 'en',
          attributes: {},
          personalisation: false,
          channels: [],
          follows: [],
          interests: [],
          lastActiveDay: null,
        },
      ]);
    });

    it('leaves out what is stopped, suppressed, merged, erased and leaving', async () => {
      const ordinal = await person();
      await one.addresses.claim(address('a', ordinal));
      await follow(ordinal, housing.key);
      await one.subscriptions.stop(ordinal, { follows: [housing.key] }, someTime);
      await one.addresses.suppress('a', 'hard-bounce', 1);
      const merged = await person({ id: 'person-2' });
      await one.subscriptions.merge(merged, ordinal, someTime);
      const erased = await person({ id: 'person-3' });
      await one.subscriptions.erase(erased, someTime);
      const leaving = await person({ id: 'person-4' });
      await one.subscriptions.leave(leaving, someTime);
      expect(await one.audience.people([ordinal, merged, erased, leaving])).toEqual([
        expect.objectContaining({ ordinal, channels: [], follows: [] }),
      ]);
      expect((await one.audience.scan(0, 10)).people).toHaveLength(1);
    });

    it('answers no channel for whoever has stopped everything, until they follow again', async () => {
      const ordinal = await person();
      await one.addresses.claim(address('a', ordinal));
      await one.subscriptions.stop(ordinal, 'all', someTime);
      expect(await one.audience.people([ordinal])).toEqual([expect.objectContaining({ channels: [] })]);
      await follow(ordinal, housing.key);
      expect(await one.audience.people([ordinal])).toEqual([expect.objectContaining({ channels: ['email'] })]);
    });

    it('scans in parts, ascending, over gaps', async () => {
      for (let n = 0; n < 7; n++) await person({ id: `person-${n}` });
      await one.subscriptions.erase(2, someTime);
      const found: number[][] = [];
      for (let after: number | null = 0; after !== null; ) {
        const part: Awaited<ReturnType<AudienceStore['scan']>> = await one.audience.scan(after, 3);
        found.push(part.people.map(({ ordinal }) => ordinal));
        after = part.last;
      }
      expect(found.flat()).toEqual([1, 3, 4, 5, 6, 7]);
      expect(Math.max(...found.map(({ length }) => length))).toBeLessThanOrEqual(3);
      expect(await one.audience.scan(7, 3)).toEqual({ people: [], last: null });
    });

    it('answers 40,000 ordinals at once, unknown and repeated ones among them, ascending', async () => {
      for (let n = 0; n < 3; n++) await person({ id: `person-${n}` });
      const asked = Array.from({ length: count }, (_, at) => count - at);
      expect((await one.audience.people([...asked, 2, 2])).map(({ ordinal }) => ordinal)).toEqual([1, 2, 3]);
      expect(await one.audience.people([])).toEqual([]);
    });

    it('numbers follows and topics, which never change', async () => {
      const all = await one.audience.follows(0, 100);
      expect(all.map(({ no: _, ...definition }) => definition)).toEqual([housing, search]);
      const [first] = all;
      expect(await other.audience.follows(first?.no ?? 0, 100)).toEqual(all.slice(1));
      expect(await one.audience.follows(0, 1)).toEqual(all.slice(0, 1));
      await one.subscriptions.putFollows([topicFollow('transport'), housing]);
      expect((await one.audience.follows(0, 100)).slice(0, 2)).toEqual(all);
      for (const slug of ['b', 'a'])
        await one.catalogue.insertTopic({ slug, title: { en: slug, 'zh-CN': slug }, parent: null });
      expect([...(await other.audience.topicNumbers()).keys()].sort()).toEqual(['a', 'b']);
      expect(new Set((await other.audience.topicNumbers()).values()).size).toBe(2);
      await other.catalogue.insertTopic({ slug: 'c', title: { en: 'c', 'zh-CN': 'c' }, parent: null });
      expect([...(await one.audience.topicNumbers()).keys()].sort()).toEqual(['a', 'b', 'c']);
    });

    describe('changes', () => {
      const since = async (after: number): Promise<number[]> =>
        (await other.audience.changes(after, 1_000)).map(({ ordinal }) => ordinal);

      it('begins at 0 with nobody', async () => {
        expect(await one.audience.sequence()).toBe(0);
        expect(await one.audience.changes(0, 10)).toEqual([]);
      });

      it('tells each person once, with their newest number, ascending', async () => {
        for (let n = 1; n <= 3; n++) await person({ id: `person-${n}` });
        const before = await one.audience.sequence();
        await one.subscriptions.updateSubscriber(1, { region: '110000' });
        await one.subscriptions.updateSubscriber(3, { region: '110000' });
        await one.subscriptions.updateSubscriber(1, { region: '310000' });
        const changes = await other.audience.changes(0, 10);
        expect(changes.map(({ ordinal }) => ordinal)).toEqual([2, 3, 1]);
        expect(changes.at(-1)?.seq).toBe(await one.audience.sequence());
        expect(await since(before)).toEqual([3, 1]);
        expect(await one.audience.changes(0, 2)).toEqual(changes.slice(0, 2));
        expect(await since(await one.audience.sequence())).toEqual([]);
      });

      /** Every way in which a person (1, and in some 2) is written. */
      const writes: [string, (ordinal: number, second: number) => Promise<unknown>, number[]?][] = [
        ['a new person', () => person({ id: 'person-9' }), [3]],
        ['their facts', (ordinal) => one.subscriptions.updateSubscriber(ordinal, { attributes: { birthYear: 1990 } })],
        ['consent given', (ordinal) => one.subscriptions.updateSubscriber(ordinal, { consents })],
        ['a new address', (ordinal) => one.addresses.claim(address('new', ordinal))],
        ['an address removed', (ordinal) => one.addresses.remove('there', ordinal)],
        ['an address suppressed', () => one.addresses.suppress('there', 'complaint', 1)],
        ['a suppression lifted', () => one.addresses.lift('bounced', 'hard-bounce')],
        ['addresses moved', (ordinal, second) => one.addresses.move(ordinal, second), [1, 2]],
        ['a follow', (ordinal) => follow(ordinal, search.key)],
        ['a follow revived', (ordinal) => follow(ordinal, search.key, { pace: 'daily' })],
        ['a follow stopped', (ordinal) => one.subscriptions.stop(ordinal, { follows: [housing.key] }, someTime)],
        [
          'a follow stopped by its id',
          (ordinal) => one.subscriptions.stop(ordinal, { id: `1 ${housing.key}` }, someTime),
        ],
        ['everything stopped', (ordinal) => one.subscriptions.stop(ordinal, 'all', someTime)],
        [
          'everything stopped where nothing was followed',
          (_, second) => one.subscriptions.stop(second, 'all', someTime),
          [2],
        ],
        ['a merge', (ordinal, second) => one.subscriptions.merge(ordinal, second, someTime), [1, 2]],
        ['a leave', (ordinal) => one.subscriptions.leave(ordinal, someTime)],
        ['a leave that is taken back', (ordinal) => one.subscriptions.leave(ordinal, null)],
        ['an erasure', (ordinal) => one.subscriptions.erase(ordinal, someTime)],
        ['an import of somebody known', () => one.subscriptions.importPeople([makeImported({ externalId: 'one' })])],
        [
          'an import of somebody new',
          () => one.subscriptions.importPeople([makeImported({ id: 'x', externalId: 'x' })]),
          [3],
        ],
        ['browsing events', (ordinal) => one.profiles.absorb([makeEvent({ ordinal })], fold)],
        [
          'an interest deleted',
          (ordinal) => one.profiles.change(ordinal, (was) => forgetInterest(was, 'housing', someTime)),
        ],
        ['a profile forgotten', (ordinal) => one.profiles.forget(ordinal)],
      ];
      it.each(writes)('tells of %s', async (_what, write, expected = [1]) => {
        const first = await person({ id: 'person-1', externalId: 'one', consents });
        const second = await person({ id: 'person-2' });
        await one.addresses.claim(address('there', first));
        await one.addresses.claim(address('bounced', first));
        await one.addresses.suppress('bounced', 'hard-bounce', 1);
        await follow(first, housing.key);
        await one.profiles.absorb([makeEvent({ ordinal: first })], fold);
        const before = await one.audience.sequence();
        await write(first, second);
        expect((await since(before)).sort()).toEqual(expected);
        const told = await other.audience.changes(before, 10);
        expect(told.every(({ seq }) => seq > before)).toBe(true);
        expect(await other.audience.sequence()).toBe(told.at(-1)?.seq);
      });

      it('tells of the same people from any number, however old, after sweeps', async () => {
        for (let n = 1; n <= 3; n++) await person({ id: `person-${n}` });
        await one.subscriptions.updateSubscriber(1, { region: '110000' });
        const middle = await one.audience.sequence();
        await one.subscriptions.updateSubscriber(2, { region: '110000' });
        const day = 86_400_000;
        await one.audience.sweepChanges(someTime);
        await one.subscriptions.updateSubscriber(3, { region: '110000' });
        const before = [await other.audience.changes(0, 10), await other.audience.changes(middle, 10)];
        for (const later of [1, day / 2, day, day + 1, 3 * day]) {
          expect(await one.audience.sweepChanges(someTime + later)).toBe(0);
          expect([await other.audience.changes(0, 10), await other.audience.changes(middle, 10)]).toEqual(before);
          const paged = new Map<number, number>();
          for (let at = 0; at < (await other.audience.sequence()); )
            for (const { ordinal, seq } of await other.audience.changes(at, 2)) {
              paged.set(ordinal, seq);
              at = seq;
            }
          expect([...paged].sort(([a], [b]) => a - b)).toEqual(before[0]?.map(({ ordinal, seq }) => [ordinal, seq]));
        }
        await one.subscriptions.updateSubscriber(1, { region: '310000' });
        expect(await since(0)).toEqual([2, 3, 1]);
        expect(await since(await one.audience.sequence())).toEqual([]);
      });

      it('tells of nobody when nothing was written', async () => {
        const ordinal = await person();
        await one.addresses.claim(address('there', ordinal));
        const before = await one.audience.sequence();
        await one.addresses.remove('unknown', ordinal);
        await one.addresses.suppress('unknown', 'hard-bounce', 1);
        await one.addresses.lift('there', 'hard-bounce');
        await one.subscriptions.stop(ordinal, { follows: [housing.key] }, someTime);
        await one.subscriptions.updateSubscriber(99, { region: '110000' });
        await one.subscriptions.insertSubscriber(makePerson()).catch(() => undefined);
        expect(await since(before)).toEqual([]);
      });

      it('loses no change when two write at once', async () => {
        const people = await Promise.all(
          Array.from({ length: 40 }, (_, n) =>
            (n % 2 ? one : other).subscriptions.insertSubscriber(makePerson({ id: `person-${n}` })),
          ),
        );
        const before = await one.audience.sequence();
        await Promise.all(
          people.map(({ ordinal }, n) =>
            (n % 2 ? one : other).subscriptions.updateSubscriber(ordinal, { region: '110000' }),
          ),
        );
        const changed = await one.audience.changes(before, 100);
        expect(changed.map(({ ordinal }) => ordinal).sort((a, b) => a - b)).toEqual(
          people.map(({ ordinal }) => ordinal).sort((a, b) => a - b),
        );
        expect(new Set(changed.map(({ seq }) => seq)).size).toBe(40);
      });
    });
  });
