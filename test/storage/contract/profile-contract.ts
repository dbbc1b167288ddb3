import type { BrowsingEvent } from '../../../src/browsing/browsing-event.ts';
import type { CatalogueStore } from '../../../src/catalogue/catalogue-store.ts';
import { emptyProfile } from '../../../src/profiles/profile.ts';
import { correctInterest, foldUnder, forgetInterest, joinProfiles } from '../../../src/profiles/profile-fold.ts';
import type { ProfileStore } from '../../../src/profiles/profile-store.ts';
import { type ItemContent, newItem } from '../../../src/publishing/item.ts';
import type { ItemStore } from '../../../src/publishing/item-store.ts';
import type { NewSubscriber, SubscriptionStore } from '../../../src/subscriptions/subscription-store.ts';
import { makeImported, makePerson, someTime } from '../../helpers/make-subscriber.ts';
import { fullSize } from './pair.ts';

type Stores = { profiles: ProfileStore; subscriptions: SubscriptionStore; items: ItemStore; catalogue: CatalogueStore };
export type OpenProfiles = () => Promise<{ stores: [Stores, Stores]; close: () => Promise<void> }>;

const fold = foldUnder(
  new Map([
    ['services', null],
    ['housing', 'services'],
  ]),
);
const consents = { personalisation: true };

export const makeEvent = (fields: Partial<BrowsingEvent> = {}): BrowsingEvent => ({
  ordinal: 1,
  kind: 'view',
  at: someTime,
  item: null,
  query: null,
  topics: ['housing'],
  hour: null,
  channel: null,
  ...fields,
});

const content: ItemContent = {
  title: 'Rent',
  summary: 'Rent',
  language: 'en',
  topics: ['housing', 'services'],
  urgency: 'routine',
  visibility: 'public',
};

const malformed = ['unknown', '', "'; --", '$ne', '住房', '\u0000'];

/** What every profile store keeps. */
export const describeProfileStore = (name: string, open: OpenProfiles, { many: count } = fullSize): unknown =>
  describe(`profile store: ${name}`, () => {
    let store: ProfileStore;
    let other: ProfileStore;
    let stores: Stores;
    let close: () => Promise<void>;
    beforeEach(async () => {
      const opened = await open();
      stores = opened.stores[0];
      store = stores.profiles;
      other = opened.stores[1].profiles;
      close = opened.close;
      for (const slug of ['services', 'housing'])
        await stores.catalogue.insertTopic({ slug, title: { en: slug, 'zh-CN': slug }, parent: null });
    });
    afterEach(() => close());

    let made = 0;
    const person = async (fields: Partial<NewSubscriber> = {}): Promise<number> => {
      made += 1;
      return (await stores.subscriptions.insertSubscriber(makePerson({ id: `person-${made}`, consents, ...fields })))
        .ordinal;
    };

    describe('absorbing', () => {
      it('stores events with their effect, and gives every fact back', async () => {
        const ordinal = await person();
        const events = [
          makeEvent({ ordinal, kind: 'search', query: '公租房 “rent” 🏠', at: someTime + 1 }),
          makeEvent({ ordinal, kind: 'useful', item: 'item-1', hour: 19, channel: 'webPush', at: someTime + 2 }),
          makeEvent({ ordinal, kind: 'not-for-me', topics: [], at: someTime + 3 }),
        ];
        expect(await store.absorb(events, fold)).toEqual(new Set([ordinal]));
        expect(await other.profile(ordinal)).toEqual(fold.apply(emptyProfile, events));
        expect(await other.eventsOf(ordinal, 10)).toEqual(events.toReversed());
        expect(await other.eventsOf(ordinal, 1)).toEqual([events[2]]);
      });

      it('adds to what is there, whichever handle took it in', async () => {
        const ordinal = await person();
        const events = [1, 2, 3, 4].map((n) => makeEvent({ ordinal, at: someTime + n, item: `item-${n}` }));
        for (const [at, event] of events.entries()) await (at % 2 === 0 ? store : other).absorb([event], fold);
        expect(await store.profile(ordinal)).toEqual(fold.apply(emptyProfile, events));
      });

      it('loses nothing when two handles write the same person at once', async () => {
        const ordinal = await person();
        const events = Array.from({ length: 40 }, (_, n) => makeEvent({ ordinal, at: someTime + n }));
        await Promise.all(events.map((event, n) => (n % 2 === 0 ? store : other).absorb([event], fold)));
        expect((await store.profile(ordinal))?.interests.housing?.counts).toEqual({ view: 40 });
        expect(await store.eventsOf(ordinal, 100)).toHaveLength(40);
      });

      it('leaves out whoever has not consented, was merged or erased, or is unknown', async () => {
        const [kept, silent, merged, erased] = [
          await person(),
          await person({ consents: { personalisation: false } }),
          await person(),
          await person(),
        ];
        await stores.subscriptions.merge(merged, kept, someTime);
        await stores.subscriptions.erase(erased, someTime);
        const strangers = [silent, merged, erased, 4_711, 0, -1];
        const events = [kept, ...strangers].map((ordinal) => makeEvent({ ordinal }));
        expect(await store.absorb(events, fold)).toEqual(new Set([kept]));
        for (const ordinal of strangers) {
          expect(await store.profile(ordinal)).toBeNull();
          expect(await store.eventsOf(ordinal, 10)).toEqual([]);
        }
      });

      it('does nothing for an empty list', async () => {
        expect(await store.absorb([], fold)).toEqual(new Set());
      });

      it('takes many people and many events of one at once', async () => {
        const ordinals = [await person(), await person()];
        const events = Array.from({ length: 3_000 }, (_, n) =>
          makeEvent({ ordinal: ordinals[n < 2_900 ? 0 : 1] ?? 0, at: someTime + n }),
        );
        expect(await store.absorb(events, fold)).toEqual(new Set(ordinals));
        expect((await store.profile(ordinals[0] ?? 0))?.interests.housing?.counts).toEqual({ view: 2_900 });
        expect(await store.eventsOf(ordinals[1] ?? 0, 1_000)).toHaveLength(100);
        const strangers = Array.from({ length: count }, (_, n) => makeEvent({ ordinal: n + 100 }));
        expect(await store.absorb(strangers, fold)).toEqual(new Set());
      });
    });

    describe('a profile', () => {
      it('is changed in one go, or answers null where there is none', async () => {
        const ordinal = await person();
        await store.absorb([makeEvent({ ordinal })], fold);
        const before = (await store.profile(ordinal)) ?? emptyProfile;
        const right = correctInterest(before, 'housing', 0.75, someTime + 4);
        expect(right.interests.housing?.corrected).toBe(someTime + 4);
        await store.change(ordinal, () => right);
        expect(await other.profile(ordinal)).toEqual(right);
        const after = forgetInterest(before, 'housing', someTime + 5);
        expect(await other.change(ordinal, (profile) => forgetInterest(profile, 'housing', someTime + 5))).toEqual(
          after,
        );
        expect(await store.profile(ordinal)).toEqual(after);
        expect(await store.change(4_711, (profile) => profile)).toBeNull();
        expect(await store.profile(4_711)).toBeNull();
      });

      it('keeps topics that nobody expected as names', async () => {
        const ordinal = await person();
        const event = makeEvent({ ordinal, topics: ['constructor', '住房', 'x'.repeat(100)] });
        await store.absorb([event], fold);
        expect(Object.keys((await store.profile(ordinal))?.interests ?? {}).sort()).toEqual([...event.topics].sort());
      });
    });

    describe('forgetting', () => {
      const tied = async (fields: Partial<NewSubscriber> = {}): Promise<number> => {
        const ordinal = await person(fields);
        await store.absorb([makeEvent({ ordinal })], fold);
        await store.tieVisitor(`browser-${ordinal}`, ordinal, someTime);
        return ordinal;
      };
      const expectGone = async (ordinal: number): Promise<void> => {
        expect(await other.profile(ordinal)).toBeNull();
        expect(await other.eventsOf(ordinal, 10)).toEqual([]);
        expect(await other.visitor(`browser-${ordinal}`)).toBeNull();
      };

      it('takes profile, events and visitors of that person, and of nobody else', async () => {
        const [one, two] = [await tied(), await tied()];
        await store.forget(one);
        await store.forget(one);
        await store.forget(4_711);
        await expectGone(one);
        expect(await store.profile(two)).not.toBeNull();
        expect(await store.visitor(`browser-${two}`)).toEqual({ ordinal: two, tiedAt: someTime });
      });

      it('goes with an erasure', async () => {
        const ordinal = await tied();
        await stores.subscriptions.erase(ordinal, someTime);
        await expectGone(ordinal);
      });

      it('goes with consent taken back, and with nothing else that changes', async () => {
        const ordinal = await tied();
        await stores.subscriptions.updateSubscriber(ordinal, { region: '110000' });
        await stores.subscriptions.updateSubscriber(ordinal, { consents });
        expect(await store.profile(ordinal)).not.toBeNull();
        await stores.subscriptions.updateSubscriber(ordinal, { consents: { personalisation: false } });
        await expectGone(ordinal);
      });

      it('goes with consent that an import takes back', async () => {
        const ordinal = await tied({ externalId: 'x' });
        await stores.subscriptions.importPeople([makeImported({ id: 'new', externalId: 'x' })]);
        expect(await store.profile(ordinal)).not.toBeNull();
        const fields = { consents: { personalisation: false } };
        await stores.subscriptions.importPeople([makeImported({ id: 'new', externalId: 'x', fields })]);
        await expectGone(ordinal);
      });
    });

    describe('a merge', () => {
      it('makes one profile of two, with the events and visitors of both; twice is once', async () => {
        const [older, newer] = [await person(), await person()];
        const [some, others] = [
          [makeEvent({ ordinal: older, at: someTime })],
          [makeEvent({ ordinal: newer, kind: 'useful', at: someTime + 1 })],
        ];
        await store.absorb([...some, ...others], fold);
        await store.tieVisitor('browser', newer, someTime);
        await stores.subscriptions.merge(newer, older, someTime);
        await stores.subscriptions.merge(newer, older, someTime);
        const joined = joinProfiles(fold.apply(emptyProfile, some), fold.apply(emptyProfile, others));
        expect(await other.profile(older)).toEqual(joined);
        expect(await other.profile(newer)).toBeNull();
        expect((await other.eventsOf(older, 10)).map(({ kind }) => kind)).toEqual(['useful', 'view']);
        expect(await other.visitor('browser')).toEqual({ ordinal: older, tiedAt: someTime });
      });

      it('gives the older all of it where only the newer had a profile', async () => {
        const [older, newer] = [await person(), await person()];
        await store.absorb([makeEvent({ ordinal: newer })], fold);
        await stores.subscriptions.merge(newer, older, someTime);
        expect(await store.profile(older)).toEqual(fold.apply(emptyProfile, [makeEvent()]));
      });

      it('keeps nothing where the older has not consented', async () => {
        const [older, newer] = [await person({ consents: { personalisation: false } }), await person()];
        await store.absorb([makeEvent({ ordinal: newer })], fold);
        await store.tieVisitor('browser', newer, someTime);
        await stores.subscriptions.merge(newer, older, someTime);
        for (const ordinal of [older, newer]) {
          expect(await store.profile(ordinal)).toBeNull();
          expect(await store.eventsOf(ordinal, 10)).toEqual([]);
        }
        expect(await store.visitor('browser')).toBeNull();
      });
    });

    describe('old events', () => {
      it('go a bounded number at a time, oldest first; the profile stays', async () => {
        const ordinal = await person();
        const events = [3, 1, 2, 5, 4].map((n) => makeEvent({ ordinal, at: someTime + n }));
        await store.absorb(events, fold);
        const profile = await store.profile(ordinal);
        const times = async () => (await other.eventsOf(ordinal, 10)).map(({ at }) => at - someTime);
        expect(await store.deleteEventsBefore(someTime + 4, 2)).toBe(2);
        expect(await times()).toEqual([5, 4, 3]);
        expect(await store.deleteEventsBefore(someTime + 4, 2)).toBe(1);
        expect(await store.deleteEventsBefore(someTime + 4, 2)).toBe(0);
        expect(await times()).toEqual([5, 4]);
        expect(await store.profile(ordinal)).toEqual(profile);
      });
    });

    describe('names', () => {
      it('of people are answered in their order, merged ones as who they are now', async () => {
        const ann = await person({ externalId: '城-1', timeZone: 'Europe/Paris' });
        const bob = await person({ id: 'bob', consents: { personalisation: false } });
        const cid = await person({ id: 'cid' });
        const dan = await person({ id: 'dan' });
        await stores.subscriptions.merge(dan, cid, someTime);
        await stores.subscriptions.merge(cid, ann, someTime);
        const gone = await person({ id: 'gone' });
        await stores.subscriptions.erase(gone, someTime);
        const actor = { ordinal: ann, timeZone: 'Europe/Paris', personalisation: true };
        const asked = [
          { id: 'dan' },
          { externalId: '城-1' },
          { id: 'unknown' },
          { id: 'bob' },
          { id: 'gone' },
          { ordinal: ann },
          { id: 'dan' },
          { externalId: 'dan' },
        ];
        const silent = { ordinal: bob, timeZone: null, personalisation: false };
        expect(await other.actors(asked)).toEqual([actor, actor, null, silent, null, actor, actor, null]);
      });

      it('that nothing has are null', async () => {
        const named = malformed.flatMap((name) => [{ id: name }, { externalId: name }]);
        const none = named.map(() => null);
        expect(await store.actors(named)).toEqual(none);
        expect(await store.publicItems(named)).toEqual(none);
        expect(await store.actors([])).toEqual([]);
        expect(await store.publicItems([])).toEqual([]);
      });

      it('come 40,000 at once', async () => {
        const ordinal = await person({ id: 'somebody' });
        const asked = Array.from({ length: count }, (_, n) => ({ id: n === count - 1 ? 'somebody' : `nobody-${n}` }));
        const found = await store.actors(asked);
        expect(found).toHaveLength(count);
        expect(found.at(-1)).toMatchObject({ ordinal });
        expect(found.filter(Boolean)).toHaveLength(1);
        expect(await store.publicItems(asked)).toHaveLength(count);
      });

      it('of items are answered with their own topics, if they are public and were published', async () => {
        const item = (id: string, fields: object) => ({
          ...newItem({ id, externalId: `name/${id}`, content, writer: 'w' }, someTime),
          ...fields,
        });
        await stores.items.insert(item('one', { state: 'published', version: 1, aliases: ['name/alias'] }));
        await stores.items.insert(item('gone', { state: 'withdrawn', version: 2 }));
        await stores.items.insert(item('draft', {}));
        await stores.items.insert(
          item('secret', { state: 'published', version: 1, content: { ...content, visibility: 'targeted' } }),
        );
        const asked = [
          { externalId: 'name/alias' },
          { id: 'gone' },
          { id: 'draft' },
          { id: 'secret' },
          { externalId: 'name/one' },
          { id: 'name/one' },
        ];
        const found = await other.publicItems(asked);
        expect(found.map((one) => one?.id ?? null)).toEqual(['one', 'gone', null, null, 'one', null]);
        expect(found[0]?.topics.toSorted()).toEqual(['housing', 'services']);
      });
    });

    describe('keywords', () => {
      it('are those of the newest public items, with their topics, each pair once', async () => {
        const item = (n: number, keywords: string[] | undefined, fields: object = {}) => {
          const made = { id: `item-${n}`, externalId: null, content: { ...content, keywords }, writer: 'w' };
          return { ...newItem(made, someTime + n), state: 'published' as const, version: 1, ...fields };
        };
        await stores.items.insert(item(1, ['old']));
        await stores.items.insert(item(2, ['公租房', 'rent']));
        await stores.items.insert(item(3, ['rent']));
        await stores.items.insert(item(4, undefined));
        await stores.items.insert(item(5, ['draft'], { state: 'draft', version: 0 }));
        const pairs = (await other.keywords(3)).map(({ keyword, topic }) => `${keyword} ${topic}`);
        expect(pairs.sort()).toEqual(['rent housing', 'rent services', '公租房 housing', '公租房 services']);
        expect(await other.keywords(100)).toHaveLength(6);
      });
    });

    describe('visitors', () => {
      it('belong to the person who tied them last, since the first time they did', async () => {
        const [one, two] = [await person(), await person()];
        expect(await store.visitor('browser')).toBeNull();
        expect(await store.tieVisitor('browser', one, someTime)).toBe(true);
        expect(await store.tieVisitor('browser', one, someTime + 5)).toBe(true);
        expect(await other.visitor('browser')).toEqual({ ordinal: one, tiedAt: someTime });
        expect(await other.tieVisitor('browser', two, someTime + 9)).toBe(true);
        expect(await store.visitor('browser')).toEqual({ ordinal: two, tiedAt: someTime + 9 });
        await store.untieVisitor('browser');
        await store.untieVisitor('browser');
        expect(await other.visitor('browser')).toBeNull();
      });

      it('are tied to nobody without consent', async () => {
        const silent = await person({ consents: { personalisation: false } });
        for (const ordinal of [silent, 4_711]) {
          expect(await store.tieVisitor('browser', ordinal, someTime)).toBe(false);
          expect(await store.visitor('browser')).toBeNull();
        }
      });

      it('that are unknown or malformed are strangers', async () => {
        for (const visitor of malformed) expect(await store.visitor(visitor)).toBeNull();
      });
    });
  });
