import type { Opinion } from '../../../src/feedback/opinions/opinion.ts';
import type { OpinionStore } from '../../../src/feedback/opinions/opinion-store.ts';
import type { SubscriptionStore } from '../../../src/subscriptions/subscription-store.ts';
import { makePerson } from '../../helpers/make-subscriber.ts';
import { eachPair, type Pair } from './pair.ts';

const at = Date.parse('2026-03-02T08:30:00.123Z');

export const makeOpinion = (fields: Partial<Opinion> = {}): Opinion => ({
  id: 'opinion-1',
  beat: 1,
  state: 'open',
  kind: 'opinion',
  item: 'item-1',
  writer: 3,
  written: 'v1.key.密封',
  answer: null,
  published: null,
  owes: null,
  at,
  ...fields,
});
const answer = { outcome: 'not-adopted' as const, reason: '依据不足', at, by: 'staff-1' };

/** What every store of opinions keeps, and what an erasure and a merge make of it. */
export const describeOpinionStore = (
  name: string,
  open: () => Promise<Pair<{ opinions: OpinionStore; subscriptions: SubscriptionStore }>>,
): unknown =>
  describe(`opinion store: ${name}`, () => {
    let store: OpinionStore;
    let other: OpinionStore;
    let people: SubscriptionStore;
    eachPair(open, ([one, two]) => {
      store = one.opinions;
      other = two.opinions;
      people = one.subscriptions;
    });

    it('keeps an opinion whole, and the first of two with one id', async () => {
      expect(await store.insert(makeOpinion())).toBe(true);
      expect(await other.insert(makeOpinion({ kind: 'question' }))).toBe(false);
      expect(await other.get('opinion-1')).toEqual(makeOpinion());
      for (const id of ['unknown', '', "'; --", '$ne']) {
        expect(await store.get(id)).toBeNull();
        expect(await store.publishedOf(id, 5)).toEqual([]);
        await store.paid(id);
      }
    });

    it('lets one of two changes through, and strikes off what is owed', async () => {
      await store.insert(makeOpinion());
      const next = makeOpinion({ state: 'answered', answer, owes: 'letter', published: { text: '意见', at: at + 5 } });
      expect(await Promise.all([store.replace(next), other.replace(next)])).toContain(false);
      expect(await other.get('opinion-1')).toEqual({ ...next, beat: 2 });
      expect((await other.owing(5)).map(({ id }) => id)).toEqual(['opinion-1']);
      await store.paid('opinion-1');
      expect(await other.owing(5)).toEqual([]);
      expect(await other.get('opinion-1')).toEqual({ ...next, beat: 3, owes: null });
    });

    it('lists by state and item, newest first, and the published ones of an item', async () => {
      const shown = { state: 'answered' as const, answer };
      await store.insert(makeOpinion({ id: 'a' }));
      await store.insert(makeOpinion({ id: 'b', ...shown, published: { text: 'b', at: at + 9 } }));
      await store.insert(makeOpinion({ id: 'c', ...shown, published: { text: 'c', at: at + 1 }, at: at + 1 }));
      await store.insert(makeOpinion({ id: 'd', item: 'item-2', writer: 4, at: at + 2 }));
      const ids = async (filter: Partial<Parameters<OpinionStore['list']>[0]>) =>
        (await other.list({ state: null, item: null, ...filter }, { cursor: null, limit: 50 })).rows.map(
          ({ id }) => id,
        );
      expect(await ids({})).toEqual(['d', 'c', 'b', 'a']);
      expect(await ids({ state: 'open' })).toEqual(['d', 'a']);
      expect(await ids({ item: 'item-1', state: 'answered' })).toEqual(['c', 'b']);
      const first = await other.list({ state: null, item: 'item-1' }, { cursor: null, limit: 2 });
      const second = await other.list({ state: null, item: 'item-1' }, { cursor: first.next, limit: 2 });
      expect([second.rows.map(({ id }) => id), second.next]).toEqual([['a'], null]);
      expect((await other.publishedOf('item-1', 50)).map(({ id }) => id)).toEqual(['c', 'b']);
      expect((await other.publishedOf('item-1', 1)).map(({ id }) => id)).toEqual(['c']);
      expect([await other.countOf(3, at), await other.countOf(3, at + 1), await other.countOf(9, 0)]).toEqual([
        3, 1, 0,
      ]);
    });

    it('are forgotten with their writer, but for what was published, and move with a merge', async () => {
      const { ordinal: from } = await people.insertSubscriber(makePerson({ id: 'newer' }));
      const { ordinal: to } = await people.insertSubscriber(makePerson({ id: 'older' }));
      const published = { text: 'Without a name.', at };
      await store.insert(makeOpinion({ id: 'open', writer: from }));
      await store.insert(makeOpinion({ id: 'answered', writer: from, state: 'answered', answer, published }));
      await store.insert(makeOpinion({ id: 'strange', writer: 99 }));
      await people.merge(from, to, at);
      expect(await store.replace(makeOpinion({ id: 'open', writer: from }))).toBe(false);
      expect(await store.countOf(to, 0)).toBe(2);
      expect((await other.ofWriter(to, 5)).map(({ id }) => id)).toEqual(['open', 'answered']);
      expect(await other.ofWriter(to, 1)).toHaveLength(1);
      await people.erase(to, at);
      expect(await store.get('open')).toBeNull();
      expect(await store.get('answered')).toMatchObject({ writer: null, written: null, published });
      expect(await store.get('strange')).toEqual(makeOpinion({ id: 'strange', writer: 99 }));
    });
  });
