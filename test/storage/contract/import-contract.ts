import type { Address } from '../../../src/subscriptions/subscriber.ts';
import type { AddressStore, ImportedPerson, SubscriptionStore } from '../../../src/subscriptions/subscription-store.ts';
import {
  followersOf,
  makeImported,
  makePerson,
  makeSubscription,
  someTime,
  topicFollow,
} from '../../helpers/make-subscriber.ts';
import { eachPair, fullSize } from './pair.ts';
import type { OpenSubscriptions } from './subscription-contract.ts';

const housing = topicFollow('housing');
const transport = topicFollow('transport');

const email = (lookup: string): Omit<Address, 'subscriber' | 'suppressed'> => ({
  lookup,
  channel: 'email',
  sealed: `sealed ${lookup}`,
  verifiedAt: someTime,
});
const wish = (key: string, id = `subscription of ${key}`) => ({
  key,
  id,
  pace: 'immediate' as const,
  channels: null,
});

/** How every subscription store imports people. */
export const describeImports = (name: string, open: OpenSubscriptions, { many: count } = fullSize): unknown =>
  describe(`import of people: ${name}`, () => {
    let store: SubscriptionStore;
    let addresses: AddressStore;
    eachPair(open, async ([one]) => {
      store = one.subscriptions;
      addresses = one.addresses;
      await store.putFollows([housing, transport]);
    });

    const outcomes = async (...people: Partial<ImportedPerson>[]) =>
      (await store.importPeople(people.map(makeImported))).map((one) => one.outcome);
    const liveOf = async (id: string) => {
      const person = await store.subscriber({ id });
      const all = await store.subscriptionsOf(person?.ordinal ?? 0);
      return all.filter(({ stoppedAt }) => stoppedAt === null).map(({ definition }) => definition.source);
    };

    it('leaves an address that the person has already verified when it was', async () => {
      const line = { externalId: '甲', addresses: [email('a')] };
      await outcomes(line);
      const later = { ...email('a'), sealed: 'sealed anew', verifiedAt: someTime + 9 };
      expect(await outcomes({ ...line, addresses: [later] })).toEqual(['updated']);
      expect(await addresses.find('a')).toMatchObject({ sealed: 'sealed anew', verifiedAt: someTime });
    });

    it('makes people, addresses and follows', async () => {
      const fields = {
        locale: 'en',
        region: '110000',
        attributes: { birthYear: 1980 },
        consents: { personalisation: true },
      } as const;
      expect(
        await outcomes({ externalId: '甲', fields, addresses: [email('a'), email('b')], follows: [wish(housing.key)] }),
      ).toEqual(['imported']);
      const person = await store.subscriber({ externalId: '甲' });
      expect(person).toMatchObject({ id: 'person-1', ...fields, timeZone: null, createdAt: someTime });
      expect((await addresses.ofSubscribers([person?.ordinal ?? 0])).map(({ lookup }) => lookup)).toEqual(['a', 'b']);
      expect(await liveOf('person-1')).toEqual([housing.source]);
      expect((await store.subscriptionsOf(person?.ordinal ?? 0))[0]?.origin).toBe('import');
      expect(await store.followerCounts([housing.source])).toEqual(new Map([[housing.source, 1]]));
      expect(await store.importPeople([])).toEqual([]);
    });

    it('updates by externalId and by address, and leaves what the line does not tell', async () => {
      const facts = { region: '110000', attributes: { birthYear: 1980, occupation: ['teacher'] } };
      await outcomes({ externalId: 'x', fields: facts, addresses: [email('a')] });
      expect(
        await outcomes(
          { id: 'p2', externalId: 'x', fields: { attributes: { occupation: ['retired'] } } },
          { id: 'p3', addresses: [email('a')], fields: { timeZone: 'Asia/Tokyo' } },
        ),
      ).toEqual(['updated', 'updated']);
      expect(await store.subscriber({ externalId: 'x' })).toMatchObject({
        id: 'person-1',
        region: '110000',
        timeZone: 'Asia/Tokyo',
        attributes: { birthYear: 1980, occupation: ['retired'] },
      });
      expect(await store.subscriber({ id: 'p2' })).toBeNull();
    });

    it('gives an externalId to somebody who signed up without one', async () => {
      await outcomes({ addresses: [email('a')] }, { id: 'p2', externalId: 'x', addresses: [email('a'), email('b')] });
      expect((await store.subscriber({ externalId: 'x' }))?.id).toBe('person-1');
    });

    it('takes no address from anybody, and writes nothing of such a line', async () => {
      await outcomes(
        { externalId: 'x', addresses: [email('a')] },
        { id: 'p2', externalId: 'y', addresses: [email('b')] },
        { id: 'p3', addresses: [email('c')] },
      );
      const results = await store.importPeople([
        makeImported({ id: 'q1', externalId: 'y', addresses: [email('a')], fields: { region: '110000' } }),
        makeImported({ id: 'q2', externalId: 'z', addresses: [email('new'), email('b')] }),
        makeImported({ id: 'q3', externalId: 'x', addresses: [email('c')] }),
        makeImported({ id: 'q4', addresses: [email('b'), email('c')], follows: [wish(housing.key)] }),
      ]);
      expect(results).toEqual(['a', 'b', 'c', 'c'].map((lookup) => ({ outcome: 'taken', lookup })));
      expect((await store.subscriber({ externalId: 'y' }))?.region).toBeNull();
      expect(await store.subscriber({ externalId: 'z' })).toBeNull();
      expect(await addresses.find('new')).toBeNull();
      expect(await followersOf(store, housing.key)).toEqual([]);
    });

    it('knows a person who comes twice', async () => {
      const line = { externalId: 'x', addresses: [email('a')], follows: [wish(housing.key)] };
      expect(await outcomes(line, { ...line, id: 'p2', follows: [wish(transport.key)] })).toEqual([
        'imported',
        'updated',
      ]);
      expect(await liveOf('person-1')).toEqual([transport.source]);
    });

    it('knows a person whom two lines call by different names', async () => {
      await outcomes({ externalId: 'x', addresses: [email('a')] }, { id: 'p2', addresses: [email('b'), email('c')] });
      const results = await store.importPeople([
        makeImported({ id: 'q1', externalId: 'x', follows: [wish(housing.key)], fields: { region: '110000' } }),
        makeImported({ id: 'q2', addresses: [email('a')], follows: [wish(transport.key)], fields: { region: 'US' } }),
        makeImported({ id: 'q3', externalId: 'y', addresses: [email('b')] }),
        makeImported({ id: 'q4', externalId: 'z', addresses: [email('c')] }),
      ]);
      expect(results).toEqual([
        { outcome: 'updated' },
        { outcome: 'updated' },
        { outcome: 'updated' },
        { outcome: 'taken', lookup: 'c' },
      ]);
      expect(await liveOf('person-1')).toEqual([transport.source]);
      expect((await store.subscriber({ externalId: 'x' }))?.region).toBe('US');
      expect((await store.subscriber({ externalId: 'y' }))?.id).toBe('p2');
    });

    it('replaces imported follows only', async () => {
      await outcomes({ externalId: 'x', follows: [wish(housing.key)] });
      const { ordinal = 0 } = (await store.subscriber({ externalId: 'x' })) ?? {};
      const own = makeSubscription({ subscriber: ordinal, follow: transport.key, pace: 'weekly' });
      await store.putSubscription(own, true);
      await outcomes({ externalId: 'x', follows: [wish(transport.key)] });
      expect(await liveOf('person-1')).toEqual([transport.source]);
      expect((await store.subscriptionsOf(ordinal)).find(({ follow }) => follow === transport.key)?.pace).toBe(
        'weekly',
      );
      await outcomes({ externalId: 'x', follows: [] });
      expect(await liveOf('person-1')).toEqual([transport.source]);
      await outcomes({ externalId: 'x', follows: [{ ...wish(housing.key), pace: 'daily', channels: ['sms'] }] });
      const again = (await store.subscriptionsOf(ordinal)).find(({ follow }) => follow === housing.key);
      expect(again).toMatchObject({ pace: 'daily', channels: ['sms'], stoppedAt: null });
    });

    it('never revives what the person stopped', async () => {
      const line = { externalId: 'x', follows: [wish(housing.key), wish(transport.key)] };
      await outcomes(line);
      const { ordinal = 0 } = (await store.subscriber({ externalId: 'x' })) ?? {};
      await store.stop(ordinal, { follows: [housing.key] }, someTime);
      await outcomes(line, { externalId: 'x', follows: [wish(transport.key)] }, line);
      expect(await liveOf('person-1')).toEqual([transport.source]);
    });

    it('adds nothing for a person who stopped everything, until they follow something again', async () => {
      await outcomes({ externalId: 'x', follows: [wish(housing.key)] });
      const { ordinal = 0 } = (await store.subscriber({ externalId: 'x' })) ?? {};
      await store.stop(ordinal, 'all', someTime);
      await outcomes({ externalId: 'x', follows: [wish(transport.key)] });
      expect(await liveOf('person-1')).toEqual([]);
      await store.putSubscription(makeSubscription({ subscriber: ordinal }), true);
      await outcomes({ externalId: 'x', follows: [wish(transport.key)] });
      expect((await liveOf('person-1')).sort()).toEqual([housing.source, transport.source]);
    });

    it('never gives back a consent that the person withdrew', async () => {
      const consent = async (personalisation: boolean) => {
        await outcomes({ externalId: 'x', fields: { consents: { personalisation } } });
        return store.subscriber({ externalId: 'x' });
      };
      expect((await consent(false))?.consents.personalisation).toBe(false);
      const given = await consent(true);
      expect(given?.consents.personalisation).toBe(true);
      await store.updateSubscriber(given?.ordinal ?? 0, { consents: { personalisation: false } });
      expect((await consent(true))?.consents.personalisation).toBe(false);
      await store.updateSubscriber(given?.ordinal ?? 0, { consents: { personalisation: true } });
      expect((await consent(true))?.consents.personalisation).toBe(true);
    });

    it('proves where a consent came from, and tells whose a line took back', async () => {
      const line = (personalisation: boolean, createdAt: number) =>
        store.importPeople([makeImported({ externalId: 'x', fields: { consents: { personalisation } }, createdAt })]);
      const consents = async () => (await store.subscriber({ externalId: 'x' }))?.consents;
      const given = { at: someTime, how: 'import', wording: null };
      await line(true, someTime);
      expect(await consents()).toEqual({ personalisation: true, given });
      await line(true, someTime + 1);
      expect(await consents()).toEqual({ personalisation: true, given });
      const { ordinal } = (await store.subscriber({ externalId: 'x' })) ?? {};
      expect(await line(false, someTime + 2)).toEqual([{ outcome: 'updated', withdrawn: ordinal }]);
      expect(await consents()).toEqual({ personalisation: false, given, withdrawnAt: someTime + 2 });
      expect(await line(false, someTime + 3)).toEqual([{ outcome: 'updated' }]);
      await line(true, someTime + 4);
      expect(await consents()).toEqual({ personalisation: true, given: { ...given, at: someTime + 4 } });
    });

    it('keeps the hour of digests, and tells whose digests a line moved', async () => {
      const line = (fields: ImportedPerson['fields']) =>
        store.importPeople([makeImported({ externalId: 'x', fields, createdAt: someTime })]);
      const known = async () => store.subscriber({ externalId: 'x' });
      expect(await line({ digestHour: 0, timeZone: 'Asia/Tokyo' })).toEqual([{ outcome: 'imported' }]);
      const { ordinal: moved } = (await known()) ?? {};
      expect(await line({ region: '110000' })).toEqual([{ outcome: 'updated' }]);
      expect(await known()).toMatchObject({ digestHour: 0, region: '110000' });
      expect(await line({ digestHour: 0, timeZone: 'Asia/Tokyo' })).toEqual([{ outcome: 'updated' }]);
      expect(await line({ digestHour: 23 })).toEqual([{ outcome: 'updated', moved }]);
      expect(await line({ timeZone: 'Asia/Kathmandu' })).toEqual([{ outcome: 'updated', moved }]);
      expect(await known()).toMatchObject({ digestHour: 23, timeZone: 'Asia/Kathmandu' });
    });

    it('leaves an address suppressed, an erased person forgotten, a merged one merged', async () => {
      await outcomes(
        { externalId: 'x', addresses: [email('a')] },
        { id: 'p2', externalId: 'y', addresses: [email('b')] },
      );
      const { ordinal: x = 0 } = (await store.subscriber({ externalId: 'x' })) ?? {};
      await addresses.suppress('b', 'bounced', 1);
      await store.erase(x, someTime);
      await outcomes(
        { id: 'p3', externalId: 'x', addresses: [email('a')] },
        { id: 'p4', externalId: 'y', addresses: [email('b')] },
      );
      expect((await addresses.find('a'))?.suppressed).toBe('erased');
      expect((await addresses.find('b'))?.suppressed).toBe('bounced');
      const older = await store.insertSubscriber(makePerson({ id: 'older' }));
      const { ordinal: y = 0 } = (await store.subscriber({ externalId: 'y' })) ?? {};
      await addresses.move(y, older.ordinal);
      await store.merge(y, older.ordinal, someTime);
      expect(await outcomes({ id: 'p5', externalId: 'y', addresses: [email('b')], fields: { region: 'US' } })).toEqual([
        'updated',
      ]);
      expect((await store.subscriber({ ordinal: older.ordinal }))?.region).toBe('US');
    });

    it('keeps the order over many, 40,000 at once', async () => {
      const many = Array.from({ length: count }, (_, n) =>
        makeImported({ id: `p-${n}`, externalId: `x-${n % (count / 2)}`, follows: [wish(housing.key, `s-${n}`)] }),
      );
      const results = await store.importPeople(many);
      expect(results.map(({ outcome }) => outcome)).toEqual(
        many.map((_, n) => (n < count / 2 ? 'imported' : 'updated')),
      );
      expect(await followersOf(store, housing.key, count)).toHaveLength(count / 2);
    }, 60_000);
  });
