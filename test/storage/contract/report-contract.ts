import type { PushStore } from '../../../src/fanout/push-store.ts';
import type { FeedbackStore } from '../../../src/feedback/feedback-store.ts';
import { foldUnder } from '../../../src/profiles/profile-fold.ts';
import type { ProfileStore } from '../../../src/profiles/profile-store.ts';
import type { Cells } from '../../../src/reports/counters.ts';
import type { ReportStore } from '../../../src/reports/report-store.ts';
import type { SubscriptionStore } from '../../../src/subscriptions/subscription-store.ts';
import { at, makeBatch, makePush } from '../../helpers/fanout-builders.ts';
import { makePerson } from '../../helpers/make-subscriber.ts';
import { makeFeedback } from './feedback-contract.ts';
import { eachPair, type Pair } from './pair.ts';

type Stores = {
  reports: ReportStore;
  pushes: PushStore;
  subscriptions: SubscriptionStore;
  profiles: ProfileStore;
  feedback: FeedbackStore;
};

const batches = [
  makeBatch({ id: 'push-1:0', ordinals: [1, 2, 3] }),
  makeBatch({ id: 'push-1:1', ordinals: [5, 9] }),
  makeBatch({ id: 'push-1:late:0', kind: 'late', ordinals: [2, 20] }),
];
const cells = (sent: number, key = '住房 & “quotes” $a.b'): Cells => ({
  total: { '': { sent, 'withheld:opted-out': 2 } },
  topic: { [key]: { sent } },
});

/** What every store of reports keeps; it runs over each storage. */
export const describeReportStore = (name: string, open: () => Promise<Pair<Stores>>): unknown =>
  describe(`report store: ${name}`, () => {
    let stores: Stores;
    let store: ReportStore;
    let other: ReportStore;
    eachPair(open, async ([one, two]) => {
      stores = one;
      store = one.reports;
      other = two.reports;
      await one.pushes.insert(makePush());
      await one.pushes.insert(makePush({ id: 'push-2' }));
      await one.pushes.insertBatches(batches);
    });
    const due = async (now: number, limit = 10) => (await other.due(now, limit)).map(({ batch }) => batch);

    it('hands out batches that are due with their people, the longest due first', async () => {
      await store.soil(['push-1:1'], at + 5);
      await store.soil(['push-1:0', 'no-such-batch'], at);
      await store.soil([], at);
      expect(await due(at - 1)).toEqual([]);
      expect(await due(at)).toEqual(['push-1:0']);
      expect(await other.due(at + 5, 10)).toEqual([
        { batch: 'push-1:0', push: 'push-1', ordinals: [1, 2, 3], mark: expect.any(Number) },
        { batch: 'push-1:1', push: 'push-1', ordinals: [5, 9], mark: expect.any(Number) },
      ]);
      expect(await due(at + 5, 0)).toEqual([]);
    });

    it('keeps the earlier of two moments', async () => {
      await store.soil(['push-1:0'], at + 100);
      await other.soil(['push-1:0'], at + 10);
      await store.soil(['push-1:0'], at + 50);
      expect([await due(at + 9), await due(at + 10)]).toEqual([[], ['push-1:0']]);
    });

    it('finds the batches of people, planned and late ones, of that push alone', async () => {
      await store.soilPeople('push-1', [9, 2], at);
      expect((await due(at)).sort()).toEqual(['push-1:0', 'push-1:1', 'push-1:late:0']);
      await store.soilPeople('push-2', [1], at);
      await store.soilPeople('unknown', [1], at);
      await store.soilPeople('push-1', [], at);
      expect(await due(at)).toHaveLength(3);
    });

    it('counts a batch again that was soiled while it was counted, or at the moment that was named', async () => {
      await store.soil(['push-1:0', 'push-1:1'], at);
      const [first, second] = await store.due(at, 10);
      await other.soil(['push-1:0'], at + 1);
      await store.setPart({ batch: 'push-1:0', day: '2026-03-01', cells: cells(1) }, first?.mark ?? 0, null);
      await store.setPart({ batch: 'push-1:1', day: '2026-03-01', cells: cells(1) }, second?.mark ?? 0, at + 9);
      expect([await due(at + 8), await due(at + 9)]).toEqual([['push-1:0'], ['push-1:0', 'push-1:1']]);
    });

    it('pages the parts of a day, and sets one as often as it is counted', async () => {
      for (const [n, { id }] of batches.entries())
        await store.setPart({ batch: id, day: '2026-03-01', cells: cells(n) }, 0, null);
      await other.setPart({ batch: 'push-1:0', day: '2026-03-01', cells: cells(7) }, 0, null);
      const first = await store.partsOf('2026-03-01', null, 2);
      expect(first).toEqual([
        { batch: 'push-1:0', day: '2026-03-01', cells: cells(7) },
        { batch: 'push-1:1', day: '2026-03-01', cells: cells(1) },
      ]);
      const rest = await store.partsOf('2026-03-01', first.at(-1)?.batch ?? null, 2);
      expect(rest.map(({ batch }) => batch)).toEqual(['push-1:late:0']);
      expect(await store.partsOf('2026-03-02', null, 2)).toEqual([]);
    });

    it('knows which days and months are behind, until they are summed up; both days of a batch that moved', async () => {
      const stale = async () => (await other.staleSpans(9)).map(({ span }) => span);
      await store.setPart({ batch: 'push-1:0', day: '2026-02-28', cells: cells(1) }, 0, null);
      expect(await stale()).toEqual(['2026-02-28', '2026-02']);
      const [day, month] = await store.staleSpans(9);
      await store.setPart({ batch: 'push-1:0', day: '2026-03-01', cells: cells(1) }, 0, null);
      expect(await stale()).toEqual(['2026-03-01', '2026-02-28', '2026-03', '2026-02']);
      await store.setSums('2026-02-28', {}, day?.mark ?? 0);
      await store.setSums('2026-02', {}, month?.mark ?? 0);
      expect(await stale()).toHaveLength(4);
      for (const { span, mark } of await store.staleSpans(9)) await store.setSums(span, cells(1), mark);
      expect(await stale()).toEqual([]);
    });

    it('answers the sums of days or of months, to the letter; a sum that is gone is gone', async () => {
      await store.setSums('2026-02-28', cells(1), 0);
      await store.setSums('2026-03-01', cells(2), 0);
      await store.setSums('2026-03', cells(3), 0);
      const spans = async (dimension: 'total' | 'topic', from: string, to: string) =>
        (await other.sums(dimension, from, to)).map(({ span, cells: found }) => [span, found]);
      expect(await spans('topic', '2026-02-01', '2026-03-31')).toEqual([
        ['2026-02-28', cells(1).topic],
        ['2026-03-01', cells(2).topic],
      ]);
      expect(await spans('total', '2026-02', '2026-03')).toEqual([['2026-03', cells(3).total]]);
      expect(await spans('total', '2026-03-01', '2026-03-01')).toEqual([['2026-03-01', cells(2).total]]);
      await store.setSums('2026-03-01', { total: { '': { sent: 5 } } }, 0);
      expect(await spans('topic', '2026-03-01', '2026-03-01')).toEqual([]);
    });

    it('sums opens of days', async () => {
      await store.setOpens('2026-03-01', 5);
      await other.setOpens('2026-03-01', 6);
      await store.setOpens('2026-03-03', 1);
      expect(await store.opens('2026-03-01', '2026-03-02')).toBe(6);
      expect(await store.opens('2026-02-01', '2026-04-01')).toBe(7);
      expect(await store.opens('2027-02-01', '2027-04-01')).toBe(0);
    });

    it('remembers how far it has come', async () => {
      expect(await store.progress()).toEqual({ followedTo: 0, countedAt: null, revision: 0 });
      await store.setProgress({ followedTo: at, countedAt: null, revision: 1 });
      await other.setProgress({ followedTo: at + 1, countedAt: at, revision: at });
      expect(await store.progress()).toEqual({ followedTo: at + 1, countedAt: at, revision: at });
    });

    it('knows the groups of people, of heirs where they were merged, of nobody who was erased', async () => {
      const facts = { region: '110000', locale: 'zh-CN', attributes: { birthYear: 1970, x: 'y' } } as const;
      const one = await stores.subscriptions.insertSubscriber(makePerson({ id: 'one', ...facts }));
      const two = await stores.subscriptions.insertSubscriber(makePerson({ id: 'two' }));
      const gone = await stores.subscriptions.insertSubscriber(makePerson({ id: 'gone', ...facts }));
      await stores.subscriptions.merge(two.ordinal, one.ordinal, at);
      await stores.subscriptions.erase(gone.ordinal, at);
      const found = await store.people([one.ordinal, two.ordinal, gone.ordinal, 4_711]);
      const group = { heir: one.ordinal, region: '110000', locale: 'zh-CN', birthYear: 1970 };
      expect(found.sort((a, b) => a.ordinal - b.ordinal)).toEqual([
        { ordinal: one.ordinal, ...group },
        { ordinal: two.ordinal, ...group },
        { ordinal: gone.ordinal, heir: gone.ordinal, region: null, locale: null, birthYear: null },
      ]);
      expect(await store.people([])).toEqual([]);
    });

    it('knows who viewed what in a time, and since when they are tied to a browser', async () => {
      const consents = { personalisation: true, given: { at, how: 'page' as const, wording: null } };
      const one = await stores.subscriptions.insertSubscriber(makePerson({ id: 'one', consents }));
      const two = await stores.subscriptions.insertSubscriber(makePerson({ id: 'two', consents }));
      await stores.profiles.tieVisitor('a', one.ordinal, at + 5);
      await stores.profiles.tieVisitor('b', one.ordinal, at + 2);
      const event = (ordinal: number, when: number, kind: 'view' | 'click') => ({
        ...{ ordinal, kind, at: when, item: 'item-1', query: null, topics: ['services'], hour: null, channel: null },
      });
      await stores.profiles.absorb(
        [event(one.ordinal, at, 'view'), event(two.ordinal, at + 9, 'view'), event(two.ordinal, at + 3, 'click')],
        foldUnder(new Map([['services', null]])),
      );
      const found = await store.views([one.ordinal, two.ordinal, 99], at, at + 9);
      expect(found).toEqual([
        { ordinal: one.ordinal, tiedAt: at + 2, viewed: [{ item: 'item-1', topics: ['services'] }] },
      ]);
      expect(await store.views([two.ordinal], at, at + 10)).toEqual([
        { ordinal: two.ordinal, tiedAt: null, viewed: [{ item: 'item-1', topics: ['services'] }] },
      ]);
    });

    it('finds what came back from some people of a push, without machines', async () => {
      const of = (id: string, fields: object) => stores.feedback.record(makeFeedback({ id, ...fields }));
      await of('a', { ordinal: 1 });
      await of('b', { ordinal: 3 });
      await of('c', { ordinal: 4 });
      await of('d', { ordinal: 2, push: 'push-2' });
      await of('e', { ordinal: 2, machine: 'head' });
      const found = await stores.feedback.ofPush('push-1', 1, 3);
      expect(found.map(({ id }) => id).sort()).toEqual(['a', 'b']);
    });

    it('marks every closed batch of a push for its recount', async () => {
      for (const lease of ['x', 'y']) {
        const claim = await stores.pushes.claim(lease, ['at-once']);
        await stores.pushes.close(claim?.batch.id ?? '', lease);
      }
      for (const { batch, mark } of await stores.pushes.dirty(9))
        await stores.pushes.setCounts(
          batch.id,
          { ...(await stores.pushes.batchesOf('push-1'))[0]?.counts } as never,
          mark,
        );
      expect(await stores.pushes.dirty(9)).toEqual([]);
      await stores.pushes.soil('push-2');
      await stores.pushes.soil('unknown');
      expect(await stores.pushes.dirty(9)).toEqual([]);
      await stores.pushes.soil('push-1');
      expect(await stores.pushes.dirty(9)).toHaveLength(2);
    });
  });
