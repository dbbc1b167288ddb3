import type { Feedback } from '../../../src/feedback/feedback.ts';
import type { FeedbackStore } from '../../../src/feedback/feedback-store.ts';
import type { LinkVisit } from '../../../src/feedback/machine-clicks.ts';
import type { SubscriptionStore } from '../../../src/subscriptions/subscription-store.ts';
import { makePerson } from '../../helpers/make-subscriber.ts';
import { eachPair, type Pair } from './pair.ts';

type Stores = { feedback: FeedbackStore; subscriptions: SubscriptionStore };

const at = Date.parse('2026-03-01T08:30:00.123Z');
const day = 86_400_000;

export const makeFeedback = (fields: Partial<Feedback> = {}): Feedback => ({
  id: 'feedback-1',
  kind: 'useful',
  rating: null,
  comment: null,
  push: 'push-1',
  item: 'item-1',
  version: 1,
  ordinal: 7,
  channel: 'email',
  message: 'message-1',
  at,
  machine: null,
  ...fields,
});

const visit = (fields: Partial<LinkVisit> = {}): LinkVisit => ({
  message: 'message-1',
  link: 'click item-1',
  head: false,
  at,
  ...fields,
});

/** What every store of feedback keeps; it runs over each storage. */
export const describeFeedbackStore = (name: string, open: () => Promise<Pair<Stores>>): unknown =>
  describe(`feedback store: ${name}`, () => {
    let store: FeedbackStore;
    let other: FeedbackStore;
    let people: SubscriptionStore;
    eachPair(open, ([one, two]) => {
      store = one.feedback;
      other = two.feedback;
      people = one.subscriptions;
    });

    it('remembers clicks until they are let go, the oldest first; one whose time was set anew stays', async () => {
      for (const [id, when] of [
        ['b', 5],
        ['a', 3],
        ['c', 9],
      ] as const)
        await store.rememberClick({ id, message: `of ${id}`, at: at + when });
      expect((await other.clicksBefore(at + 9, 10)).map(({ id, message }) => [id, message])).toEqual([
        ['a', 'of a'],
        ['b', 'of b'],
      ]);
      const first = await store.clicksBefore(at + 9, 1);
      expect(first).toEqual([{ id: 'a', message: 'of a', at: at + 3 }]);
      await other.rememberClick({ id: 'a', message: 'of a', at: at + 7 });
      await store.forgetClicks([...first, { id: 'b', message: 'of b', at: at + 5 }]);
      expect(await store.clicksBefore(at + 10, 10)).toEqual([
        { id: 'a', message: 'of a', at: at + 7 },
        { id: 'c', message: 'of c', at: at + 9 },
      ]);
      await store.forgetClicks([]);
    });

    const ask = (of: string, when: number, ordinal = 7) => ({ ordinal, of, at: when });
    const all = async (from = 0, to = at + 10 * day, limit = 3): Promise<Feedback[]> => {
      const seen: Feedback[] = [];
      let cursor: string | null = null;
      do {
        const page: Awaited<ReturnType<FeedbackStore['between']>> = await store.between(from, to, { cursor, limit });
        seen.push(...page.feedback);
        cursor = page.next;
      } while (cursor !== null);
      return seen;
    };

    it('keeps every field, in any script', async () => {
      const full = makeFeedback({ kind: 'rating', rating: 4, comment: '很好 — “très bien”\n第二行' });
      expect(await store.record(full)).toBe(true);
      expect(await other.ofMessage('message-1')).toEqual([full]);
      expect(await all()).toEqual([full]);
    });

    it('keeps the same feedback once: what is newer of it replaces what was', async () => {
      await store.record(makeFeedback({ kind: 'rating', rating: 2, comment: 'x' }));
      expect(await other.record(makeFeedback({ kind: 'rating', rating: 5, at: at + 1, item: 'never-moves' }))).toBe(
        false,
      );
      expect(await all()).toEqual([makeFeedback({ kind: 'rating', rating: 5, at: at + 1 })]);
    });

    it('leaves out machines, until a person does the same, and again if it was none after all', async () => {
      await store.record(makeFeedback({ kind: 'click', machine: 'head' }));
      expect([await all(), (await store.ofMessage('message-1'))[0]?.machine]).toEqual([[], 'head']);
      await other.record(makeFeedback({ kind: 'click', at: at + 5 }));
      expect(await all()).toHaveLength(1);
      await store.record(makeFeedback({ kind: 'click', at: at + 5, machine: 'every-link' }));
      expect(await all()).toEqual([]);
    });

    it('pages by time and id over ties; the end is left out', async () => {
      const made = [...'gfedcba'].map((id, n) => makeFeedback({ id, at: at + Math.floor(n / 3) }));
      for (const one of made) await store.record(one);
      const sorted = [...made].sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
      for (const limit of [1, 2, 3, 7, 50]) expect(await all(at, at + 3, limit)).toEqual(sorted);
      expect(await all(at + 1, at + 2)).toEqual(sorted.slice(3, 6));
      await expect(store.between(0, at, { cursor: 'nonsense', limit: 2 })).rejects.toMatchObject({ code: 'invalid' });
    });

    it('answers what people wrote and complained of, newest first, paging over ties', async () => {
      const written = [
        makeFeedback({ id: 'a', comment: '谢谢', kind: 'rating', rating: 5 }),
        makeFeedback({ id: 'b', kind: 'complaint' }),
        makeFeedback({ id: 'c', comment: 'Too late', at: at + 1 }),
      ];
      const others = [makeFeedback({ id: 'd', at: at + 2 }), makeFeedback({ id: 'e', comment: 'x', machine: 'head' })];
      for (const one of [...written, ...others]) await store.record(one);
      const first = await store.said({ cursor: null, limit: 2 });
      const second = await store.said({ cursor: first.next, limit: 2 });
      expect([first.feedback, second.feedback].map((list) => list.map(({ id }) => id))).toEqual([['c', 'b'], ['a']]);
      expect([second.next, second.feedback[0]]).toEqual([null, written[0]]);
      await expect(store.said({ cursor: 'nonsense', limit: 2 })).rejects.toMatchObject({ code: 'invalid' });
    });

    it('answers one message or one person, newest first', async () => {
      await store.record(makeFeedback({ id: 'a' }));
      await store.record(makeFeedback({ id: 'b', at: at + 2, message: 'message-2' }));
      await store.record(makeFeedback({ id: 'c', at: at + 1, ordinal: 8 }));
      expect((await other.ofMessage('message-1')).map(({ id }) => id)).toEqual(['c', 'a']);
      expect((await other.ofPerson(7, 10)).map(({ id }) => id)).toEqual(['b', 'a']);
      expect((await other.ofPerson(7, 1)).map(({ id }) => id)).toEqual(['b']);
      for (const unknown of ['', "'; --", '$ne', 'message']) expect(await store.ofMessage(unknown)).toEqual([]);
    });

    it('stays with whoever the person becomes, and loses their words when they are erased', async () => {
      const one = await people.insertSubscriber(makePerson({ id: 'one' }));
      const two = await people.insertSubscriber(makePerson({ id: 'two' }));
      await store.record(makeFeedback({ ordinal: two.ordinal, comment: 'my words' }));
      await people.merge(two.ordinal, one.ordinal, at);
      expect(await store.ofPerson(two.ordinal, 5)).toEqual([]);
      expect(await store.ofPerson(one.ordinal, 5)).toHaveLength(1);
      await people.erase(one.ordinal, at);
      expect(await store.ofPerson(one.ordinal, 5)).toEqual([makeFeedback({ ordinal: one.ordinal })]);
    });

    it('keeps visits of a message, each once and not without end, and forgets old ones', async () => {
      expect(await store.visited(visit(), 3)).toEqual([visit()]);
      expect(await other.visited(visit(), 3)).toHaveLength(1);
      expect(await store.visited(visit({ message: 'message-2' }), 3)).toHaveLength(1);
      await store.visited(visit({ at: at - 5, link: 'useful item-1' }), 3);
      await store.visited(visit({ head: true }), 3);
      const kept = await other.visited(visit({ at: at + 9 }), 3);
      expect(kept.map((one) => [one.at, one.link, one.head])).toEqual([
        [at - 5, 'useful item-1', false],
        [at, 'click item-1', false],
        [at, 'click item-1', true],
      ]);
      expect([await store.forgetVisits(at, 10), await store.forgetVisits(at, 10)]).toEqual([1, 0]);
      expect(await store.forgetVisits(at + 1, 2)).toBe(2);
      const rest = [
        ...(await store.visited(visit({ at: at + 1 }), 9)),
        ...(await store.visited(visit({ message: 'message-2', at: at + 1 }), 9)),
      ];
      expect(rest.filter((one) => one.at < at + 1)).toHaveLength(1);
    });

    it('keeps all visits of many who come at once', async () => {
      const visits = Array.from({ length: 12 }, (_, n) => visit({ link: `click item-${n}` }));
      await Promise.all(visits.map((one, n) => (n % 2 ? store : other).visited(one, 64)));
      expect(await store.visited(visit({ at: at + 1 }), 64)).toHaveLength(13);
    });

    it('counts messages that were seen opened, each when it first was', async () => {
      await store.opened('message-1', at);
      await other.opened('message-1', at + 5);
      await store.opened('message-2', at + 1);
      expect([await store.opens(at, at + 1), await store.opens(at, at + 9), await store.opens(at + 2, at + 9)]).toEqual(
        [1, 2, 0],
      );
      expect(await store.forgetVisits(at + 9, 9)).toBe(2);
    });

    it('asks a person once in so long, and says the same again for the same thing', async () => {
      expect(await store.takeSurveys([ask('a', at), ask('b', at, 8)], 30 * day)).toEqual([true, true]);
      expect(await other.takeSurveys([ask('a', at + day), ask('b', at + day)], 30 * day)).toEqual([true, false]);
      expect(await store.takeSurveys([ask('b', at + 30 * day - 1)], 30 * day)).toEqual([false]);
      expect(await store.takeSurveys([ask('b', at + 30 * day)], 30 * day)).toEqual([true]);
      expect(await store.takeSurveys([ask('a', at + 30 * day)], 30 * day)).toEqual([false]);
      expect(await store.takeSurveys([], 30 * day)).toEqual([]);
    });

    it('keeps a turn over a merge, the later of two', async () => {
      const ordinals: number[] = [];
      for (const id of ['a', 'b', 'c'])
        ordinals.push((await people.insertSubscriber(makePerson({ id, externalId: id }))).ordinal);
      const [a = 0, b = 0, c = 0] = ordinals;
      await store.takeSurveys([ask('early', at, a), ask('late', at + 10 * day, b)], 30 * day);
      await people.merge(b, a, at);
      expect(await other.takeSurveys([ask('next', at + 35 * day, a)], 30 * day)).toEqual([false]);
      await people.merge(a, c, at);
      expect(await store.takeSurveys([ask('next', at + 35 * day, c)], 30 * day)).toEqual([false]);
      expect(await store.takeSurveys([ask('next', at + 40 * day, c)], 30 * day)).toEqual([true]);
    });

    it('gives one turn to many who ask at once', async () => {
      const asks = Array.from({ length: 8 }, (_, n) => ({ ordinal: 7, of: `push-${n}`, at }));
      const taken = await Promise.all(asks.map((one, n) => (n % 2 ? store : other).takeSurveys([one], day)));
      expect(taken.flat().filter(Boolean)).toHaveLength(1);
    });
  });
