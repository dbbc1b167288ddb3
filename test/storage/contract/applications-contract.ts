import type { Application } from '../../../src/applications/application.ts';
import type { ApplicationStore } from '../../../src/applications/application-store.ts';
import type { OpinionStore } from '../../../src/feedback/opinions/opinion-store.ts';
import type { AddressStore, SubscriptionStore } from '../../../src/subscriptions/subscription-store.ts';
import { makePerson } from '../../helpers/make-subscriber.ts';
import { makeOpinion } from './opinions-contract.ts';
import { eachPair, type Pair } from './pair.ts';

const at = Date.parse('2026-03-02T08:30:00.123Z');

const makeApplication = (fields: Partial<Application> = {}): Application => ({
  id: 'application-1',
  number: '20260302-7KX2MQ',
  beat: 1,
  state: 'received',
  contact: true,
  applicant: null,
  lookup: 'lookup-1',
  written: 'v1.key.密封',
  receivedAt: at,
  receivedOn: '2026-03-02',
  firstDueOn: '2026-03-23',
  dueOn: '2026-03-23',
  postponement: null,
  answer: null,
  openedAt: null,
  owes: null,
  by: 'staff-1',
  createdAt: at,
  ...fields,
});
const answer = { item: 'item-1', push: 'push-1', at, by: 'staff-1' };
const malformed = ['unknown', '', "'; --", '$ne', '申请'];

export type ApplicationStores = {
  applications: ApplicationStore;
  opinions: OpinionStore;
  subscriptions: SubscriptionStore;
  addresses: AddressStore;
};

/** What every store of applications keeps, and what an erasure and a merge make of it. */
export const describeApplicationStore = (name: string, open: () => Promise<Pair<ApplicationStores>>): unknown =>
  describe(`application store: ${name}`, () => {
    let store: ApplicationStore;
    let other: ApplicationStore;
    let opinions: OpinionStore;
    let people: SubscriptionStore;
    let addresses: AddressStore;
    eachPair(open, ([one, two]) => {
      store = one.applications;
      other = two.applications;
      opinions = one.opinions;
      people = one.subscriptions;
      addresses = two.addresses;
    });

    it('keeps an application whole, null told from what is there', async () => {
      const full = makeApplication({
        ...{
          id: 'full',
          state: 'answered',
          contact: false,
          applicant: 7,
          lookup: null,
          openedAt: at + 1,
          owes: 'push',
        },
        postponement: { until: '2026-04-01', at, by: '李', told: false },
        answer,
      });
      await store.insert(makeApplication());
      await other.insert(full);
      expect(await other.get('application-1')).toEqual(makeApplication());
      expect(await store.get('full')).toEqual(full);
      for (const id of malformed) {
        expect(await store.get(id)).toBeNull();
        await store.paid(id, 'letter');
        await store.opened(id, at);
        await store.forget(id);
        expect(await store.answeredBy(id)).toEqual([]);
      }
    });

    it('lets one of two changes through', async () => {
      await store.insert(makeApplication());
      const next = makeApplication({ state: 'postponed', dueOn: '2026-04-01' });
      expect(await Promise.all([store.replace(next), other.replace(next)])).toContain(false);
      expect(await store.get('application-1')).toEqual({ ...next, beat: 2 });
      expect(await other.replace(next)).toBe(false);
      expect(await store.replace(makeApplication({ id: 'unknown' }))).toBe(false);
    });

    it('pages over ties, newest first, of one state or all', async () => {
      const made = ['a', 'b', 'c', 'd'].map((id, n) =>
        makeApplication({ id, createdAt: at + (n > 1 ? 1 : 0), state: n === 2 ? 'answered' : 'received' }),
      );
      for (const one of made) await store.insert(one);
      const first = await other.list(null, { cursor: null, limit: 3 });
      expect(first.rows.map(({ id }) => id)).toEqual(['d', 'c', 'b']);
      const second = await other.list(null, { cursor: first.next, limit: 3 });
      expect([second.rows.map(({ id }) => id), second.next]).toEqual([['a'], null]);
      const received = await store.list('received', { cursor: null, limit: 50 });
      expect(received.rows.map(({ id }) => id)).toEqual(['d', 'b', 'a']);
      await expect(store.list(null, { cursor: 'nonsense', limit: 3 })).rejects.toMatchObject({ code: 'invalid' });
    });

    it('finds what is due, what was received, what an item answers, and what is owed', async () => {
      await store.insert(makeApplication({ id: 'late', dueOn: '2026-03-01', receivedOn: '2026-02-01' }));
      await store.insert(makeApplication({ id: 'soon', dueOn: '2026-03-09', state: 'postponed', owes: 'letter' }));
      await store.insert(makeApplication({ id: 'later', dueOn: '2026-03-10', receivedOn: '2026-03-03' }));
      await store.insert(makeApplication({ id: 'done', dueOn: '2026-03-01', state: 'answered', answer, owes: 'push' }));
      const ids = (rows: Application[]) => rows.map(({ id }) => id);
      expect(ids(await other.openBetween('0000-01-01', '2026-03-09', 10))).toEqual(['late', 'soon']);
      expect(ids(await other.openBetween('0000-01-01', '2026-03-09', 1))).toEqual(['late']);
      expect(ids(await other.openBetween('2026-03-09', '2026-03-10', 9))).toEqual(['soon', 'later']);
      // by the first day it was due, too, to which a postponement that counts for nothing leaves it
      expect(ids(await other.openBetween('2026-03-20', '2026-03-23', 9))).toEqual(['late', 'soon', 'later']);
      expect(ids(await other.received('2026-03-02', '2026-03-03', 10))).toEqual(['done', 'soon', 'later']);
      expect(ids(await other.answeredBy('item-1'))).toEqual(['done']);
      expect(ids(await other.owing(10)).sort()).toEqual(['done', 'soon']);
      await store.paid('done', 'letter');
      await store.paid('soon', 'letter');
      await store.paid('soon', 'letter');
      expect(ids(await other.owing(10))).toEqual(['done']);
      expect((await store.get('soon'))?.beat).toBe(2);
    });

    it('keeps the first opening', async () => {
      await store.insert(makeApplication());
      await store.opened('application-1', at);
      await other.opened('application-1', at + 1);
      expect(await store.get('application-1')).toMatchObject({ openedAt: at, beat: 2 });
    });

    it('forgets one', async () => {
      await store.insert(makeApplication({ owes: 'letter' }));
      await store.insert(makeApplication({ id: 'done', state: 'answered', contact: false, applicant: 7 }));
      await store.forget('application-1');
      await other.forget('done');
      const gone = { applicant: null, written: null, lookup: null, owes: null };
      expect(await other.get('application-1')).toMatchObject({ state: 'forgotten', ...gone });
      expect(await other.get('done')).toMatchObject({ state: 'answered', ...gone });
    });

    describe('and its people', () => {
      const addressOf = (subscriber: number, lookup: string) => ({
        ...{ subscriber, lookup, channel: 'email' as const, sealed: 'sealed', verifiedAt: at, suppressed: null },
      });
      const contact = async (id: string): Promise<number> => {
        const { ordinal } = await people.insertSubscriber(makePerson({ id, contact: true }));
        await addresses.claim(addressOf(ordinal, `reply-${id}`));
        return ordinal;
      };

      it('a contact is found by its ordinal and as a contact alone', async () => {
        const ordinal = await contact('contact-1');
        const kept = { id: 'contact-1', ordinal, contact: true };
        expect(await people.subscriber({ contact: 'contact-1' })).toMatchObject(kept);
        expect(await people.subscriber({ ordinal })).toMatchObject(kept);
        expect(await people.subscriber({ id: 'contact-1' })).toBeNull();
        const person = await people.insertSubscriber(makePerson({ id: 'person-9' }));
        expect(person).not.toHaveProperty('contact');
        expect(await people.subscriber({ contact: 'person-9' })).toBeNull();
        await expect(people.insertSubscriber(makePerson({ id: 'contact-1', contact: true }))).rejects.toMatchObject({
          code: 'conflict',
        });
        expect((await people.recipients([ordinal]))[0]?.addresses).toHaveLength(1);
      });

      it('erasing a person forgets what they asked, and the contacts of their addresses', async () => {
        const { ordinal } = await people.insertSubscriber(makePerson({ id: 'person-1' }));
        await addresses.claim(addressOf(ordinal, 'lookup-1'));
        const reply = await contact('contact-1');
        const stranger = await contact('contact-2');
        await store.insert(makeApplication({ id: 'own', contact: false, applicant: ordinal, lookup: null }));
        await store.insert(makeApplication({ id: 'mailed', applicant: reply, state: 'answered' }));
        await store.insert(makeApplication({ id: 'strange', applicant: stranger, lookup: 'lookup-2' }));
        await opinions.insert(makeOpinion({ writer: reply }));
        await people.erase(ordinal, at);
        await people.erase(ordinal, at + 1);
        expect(await opinions.get('opinion-1')).toBeNull();
        expect(await store.get('own')).toMatchObject({ state: 'forgotten', written: null });
        expect(await store.get('mailed')).toMatchObject({ state: 'answered', written: null, lookup: null });
        expect(await store.get('strange')).toMatchObject({ state: 'received', lookup: 'lookup-2' });
        expect(await people.subscriber({ ordinal: reply })).toMatchObject({ erasedAt: at });
        expect(await addresses.ofSubscribers([ordinal, reply, stranger])).toMatchObject([{ subscriber: stranger }]);
      });

      it('a merge gives the applications to whom the person has become', async () => {
        const { ordinal: from } = await people.insertSubscriber(makePerson({ id: 'newer' }));
        const { ordinal: to } = await people.insertSubscriber(makePerson({ id: 'older' }));
        await store.insert(makeApplication({ contact: false, applicant: from, lookup: null }));
        const before = await store.get('application-1');
        await people.merge(from, to, at);
        expect(await store.get('application-1')).toMatchObject({ applicant: to });
        // whoever read it before writes nothing over it
        expect(await store.replace({ ...makeApplication(), ...before })).toBe(false);
        await store.insert(makeApplication({ id: 'application-2', applicant: to, createdAt: at + 1 }));
        expect((await other.ofApplicant(to, 5)).map(({ id }) => id)).toEqual(['application-2', 'application-1']);
        expect(await other.ofApplicant(from, 5)).toEqual([]);
        await people.erase(to, at);
        expect(await store.get('application-1')).toMatchObject({ state: 'forgotten' });
      });
    });
  });
