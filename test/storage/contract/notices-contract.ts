import { LeaseLost, type NoticeClass } from '../../../src/fanout/ledger-store.ts';
import {
  at,
  makeDelivery,
  makeDeparture,
  makeNotice,
  makeOutcome,
  makePush,
  range,
} from '../../helpers/fanout-builders.ts';
import { ledgerBench, type OpenedLedger } from './ledger-bench.ts';
import { fullScale, type Scale } from './push-store-contract.ts';

const wanted = (ordinal: number, noticeClass: NoticeClass = 'must') => ({
  ...makeNotice({ ordinal }),
  class: noticeClass,
});
const own = { outcome: 'own', over: null };

/** What every ledger keeps about notices: at most one push tells a person of an item version. */
export const describeNotices = (name: string, open: () => Promise<OpenedLedger>, scale: Scale = fullScale): unknown =>
  describe(`ledger, notices: ${name}`, () => {
    const bench = ledgerBench(open);

    /** A push's departure and its outcome `sent`, from the row on. */
    const tell = async (lease: { batch: string; token: string }, push: string, ordinal: number): Promise<void> => {
      const { ledger } = bench.one;
      const departure = makeDeparture(ordinal, { key: { push, ordinal, channel: 'email' } });
      await ledger.insertDeliveries(lease, [makeDelivery({ push, ordinal })]);
      expect(await ledger.depart(lease, [departure], at)).toEqual([true]);
      await ledger.settle(lease, [makeOutcome(departure)]);
    };

    it('answers in the order asked, and taking again changes nothing', async () => {
      const lease = await bench.claimed();
      expect(await bench.one.ledger.takeNotices(lease, 'push-1', [wanted(2), wanted(1)], at)).toEqual([own, own]);
      expect(await bench.two.ledger.takeNotices(lease, 'push-1', [wanted(1), wanted(3)], at)).toEqual([own, own]);
      expect(await bench.one.ledger.takeNotices(lease, 'push-1', [], at)).toEqual([]);
    });

    it('tells one item, version and person from another', async () => {
      const first = await bench.claimed();
      const second = await bench.claimed({ id: 'push-2', createdAt: at + 1 });
      await bench.one.ledger.takeNotices(first, 'push-1', [wanted(1)], at);
      const others = [
        { ...wanted(1), version: 2 },
        { ...wanted(1), item: 'item-住' },
        wanted(2),
        { ...wanted(1), item: '' },
      ];
      expect(await bench.two.ledger.takeNotices(second, 'push-2', others, at)).toEqual([own, own, own, own]);
    });

    it('holds an equal or higher class against another push', async () => {
      const first = await bench.claimed();
      const second = await bench.claimed({ id: 'push-2', createdAt: at + 1 });
      await bench.one.ledger.takeNotices(first, 'push-1', [wanted(1, 'must'), wanted(2, 'emergency')], at);
      const asked = [wanted(1, 'must'), wanted(2, 'must'), wanted(2, 'emergency'), wanted(1, 'suggestion')];
      const held = { outcome: 'held', by: 'push-1' };
      expect(await bench.two.ledger.takeNotices(second, 'push-2', asked, at)).toEqual([held, held, held, held]);
    });

    it('gives one notice to one of two pushes that race for it', async () => {
      const first = await bench.claimed();
      const second = await bench.claimed({ id: 'push-2', createdAt: at + 1 });
      const people = Math.ceil(scale.races / 2);
      const race = await Promise.all(
        range(1, people).flatMap((ordinal) => [
          bench.one.ledger.takeNotices(first, 'push-1', [wanted(ordinal)], at),
          bench.two.ledger.takeNotices(second, 'push-2', [wanted(ordinal)], at),
        ]),
      );
      for (let n = 0; n < people; n += 1) {
        const pair = [...(race[2 * n] ?? []), ...(race[2 * n + 1] ?? [])];
        expect(pair.map((taken) => taken.outcome).sort()).toEqual(['held', 'own']);
      }
    });

    it('is taken over by a higher class while pending; the loser keeps its row, withheld', async () => {
      const first = await bench.claimed();
      const second = await bench.claimed({ id: 'push-2', lane: 'emergency', createdAt: at + 1 });
      const { ledger } = bench.one;
      await ledger.takeNotices(first, 'push-1', [wanted(1), wanted(2, 'suggestion')], at);
      await ledger.insertDeliveries(first, [
        makeDelivery({ ordinal: 1 }),
        makeDelivery({ ordinal: 1, channel: 'sms', state: 'failed', code: 'no-such-number' }),
        makeDelivery({ ordinal: 2, channel: null, state: 'digested', code: 'daily-digest', dueAt: at + 9 }),
        makeDelivery({ ordinal: 3 }),
      ]);
      const over = { outcome: 'own', over: 'push-1' };
      const later = at + 77;
      expect(
        await bench.two.ledger.takeNotices(second, 'push-2', [wanted(1, 'emergency'), wanted(2, 'must')], later),
      ).toEqual([over, over]);
      const rows = await ledger.deliveriesOf('push-1', [1, 2, 3]);
      expect(rows.map(({ ordinal, channel, state, code, dueAt }) => [ordinal, channel, state, code, dueAt])).toEqual([
        [1, 'email', 'withheld', 'taken-over', null],
        [1, 'sms', 'failed', 'no-such-number', null],
        [2, null, 'withheld', 'taken-over', null],
        [3, 'email', 'planned', null, null],
      ]);
      expect(rows[0]?.at).toBe(later);
      expect(await ledger.takeNotices(first, 'push-1', [wanted(1)], at)).toEqual([{ outcome: 'held', by: 'push-2' }]);
      expect(await bench.one.pushes.batchesOf('push-1')).toMatchObject([{ dirty: true }]);
    });

    it('refuses the departure of a push that lost the notice', async () => {
      const first = await bench.claimed();
      const second = await bench.claimed({ id: 'push-2', lane: 'emergency', createdAt: at + 1 });
      const { ledger } = bench.one;
      await ledger.takeNotices(first, 'push-1', [wanted(1)], at);
      await ledger.takeNotices(second, 'push-2', [wanted(1, 'emergency')], at);
      await ledger.insertDeliveries(first, [makeDelivery({ ordinal: 1 })]);
      expect(await ledger.depart(first, [makeDeparture(1)], at)).toEqual([false]);
      expect(await ledger.deliveriesOf('push-1', [1])).toMatchObject([{ state: 'planned', message: null }]);
      expect(await ledger.message('message-push-1-1-email')).toBeNull();
    });

    it('is not taken over while it is in flight', async () => {
      const first = await bench.claimed();
      const second = await bench.claimed({ id: 'push-2', lane: 'emergency', createdAt: at + 1 });
      await bench.one.ledger.takeNotices(first, 'push-1', [wanted(1)], at);
      await bench.one.ledger.insertDeliveries(first, [makeDelivery()]);
      await bench.one.ledger.depart(first, [makeDeparture(1)], at);
      expect(await bench.two.ledger.takeNotices(second, 'push-2', [wanted(1, 'emergency')], at)).toEqual([
        { outcome: 'held', by: 'push-1' },
      ]);
    });

    it('is told once sent, to whatever push, also its own', async () => {
      const first = await bench.claimed();
      const second = await bench.claimed({ id: 'push-2', createdAt: at + 1 });
      await bench.one.ledger.takeNotices(first, 'push-1', [wanted(1)], at);
      await tell(first, 'push-1', 1);
      for (const [lease, push] of [
        [first, 'push-1'],
        [second, 'push-2'],
      ] as const)
        expect(await bench.two.ledger.takeNotices(lease, push, [wanted(1, 'emergency')], at)).toEqual([
          { outcome: 'told' },
        ]);
    });

    it('is released by its owner alone, and never once told', async () => {
      const first = await bench.claimed();
      const second = await bench.claimed({ id: 'push-2', createdAt: at + 1 });
      await bench.one.ledger.takeNotices(first, 'push-1', [wanted(1), wanted(2), wanted(3)], at);
      await tell(first, 'push-1', 3);
      await bench.two.ledger.releaseNotices('push-2', [makeNotice({ ordinal: 1 })]);
      await bench.one.ledger.releaseNotices('push-1', [makeNotice({ ordinal: 2 }), makeNotice({ ordinal: 3 })]);
      await bench.one.ledger.releaseNotices('push-1', [makeNotice({ ordinal: 99 }), makeNotice({ item: 'unknown' })]);
      await bench.one.ledger.releaseNotices('push-1', []);
      await bench.one.ledger.releaseNotices('unknown', [makeNotice({ ordinal: 1 })]);
      expect(
        await bench.two.ledger.takeNotices(
          second,
          'push-2',
          [1, 2, 3].map((n) => wanted(n)),
          at,
        ),
      ).toEqual([{ outcome: 'held', by: 'push-1' }, own, { outcome: 'told' }]);
    });

    it('is not released while it is in flight; its outcome frees it', async () => {
      const first = await bench.claimed();
      const second = await bench.claimed({ id: 'push-2', createdAt: at + 1 });
      const { ledger } = bench.one;
      await ledger.takeNotices(first, 'push-1', [wanted(1)], at);
      await ledger.insertDeliveries(first, [makeDelivery()]);
      await ledger.depart(first, [makeDeparture(1)], at);
      await bench.two.ledger.releaseNotices('push-1', [makeNotice()]);
      expect(await ledger.takeNotices(second, 'push-2', [wanted(1, 'emergency')], at)).toEqual([
        { outcome: 'held', by: 'push-1' },
      ]);
      const to = { state: 'failed' as const, code: 'no-such-user', dueAt: null, attempts: 1 };
      await ledger.settle(first, [makeOutcome(makeDeparture(1), { to })]);
      expect(await ledger.takeNotices(second, 'push-2', [wanted(1)], at)).toEqual([own]);
    });

    it('is not taken under a lease that is lost', async () => {
      const lease = await bench.claimed();
      const stale = { ...lease, token: 'stale' };
      await expect(bench.one.ledger.takeNotices(stale, 'push-1', [wanted(1)], at)).rejects.toThrow(LeaseLost);
      const second = await bench.claimed({ id: 'push-2', createdAt: at + 1 });
      expect(await bench.two.ledger.takeNotices(second, 'push-2', [wanted(1)], at)).toEqual([own]);
    });

    it(`takes and releases ${scale.many} at once`, async () => {
      const lease = await bench.claimed();
      const people = range(1, scale.many);
      const { ledger } = bench.one;
      const taken = await ledger.takeNotices(
        lease,
        'push-1',
        people.map((n) => wanted(n)),
        at,
      );
      expect(taken.filter((one) => one.outcome === 'own')).toHaveLength(people.length);
      await ledger.releaseNotices(
        'push-1',
        people.map((ordinal) => makeNotice({ ordinal })),
      );
      const second = await bench.claimed({ id: 'push-2', createdAt: at + 1 });
      const last = wanted(scale.many);
      expect(await ledger.takeNotices(second, 'push-2', [wanted(1), last], at)).toEqual([own, own]);
    });

    describe('who was told', () => {
      /** Tells these people of a version over one channel, by a push of its own. */
      const version = async (number: number, channel: 'email' | 'sms', ordinals: number[]): Promise<void> => {
        const push = `push-v${number}`;
        const lease = await bench.claimed({ id: push, version: number, createdAt: at + number });
        const { ledger } = bench.one;
        const departures = ordinals.map((ordinal) =>
          makeDeparture(ordinal, { key: { push, ordinal, channel }, notice: makeNotice({ ordinal, version: number }) }),
        );
        await ledger.takeNotices(
          lease,
          push,
          departures.map((one) => ({ ...one.notice, class: 'must' })),
          at,
        );
        await ledger.insertDeliveries(
          lease,
          ordinals.map((ordinal) => makeDelivery({ push, ordinal, channel })),
        );
        await ledger.depart(lease, departures, at);
        await ledger.settle(
          lease,
          departures.map((one) => makeOutcome(one)),
        );
      };

      it('lists them ascending with the channel first used, up to a version', async () => {
        await version(1, 'sms', [7, 2]);
        await version(2, 'email', [2, 9]);
        const { ledger } = bench.two;
        expect(await ledger.toldOf('item-住房', 1)).toEqual([
          { ordinal: 2, channel: 'sms' },
          { ordinal: 7, channel: 'sms' },
        ]);
        expect(await ledger.toldOf('item-住房', 2)).toEqual([
          { ordinal: 2, channel: 'sms' },
          { ordinal: 7, channel: 'sms' },
          { ordinal: 9, channel: 'email' },
        ]);
        expect(await ledger.toldOf('item-住房', 0)).toEqual([]);
        expect(await ledger.toldOf('unknown', 5)).toEqual([]);
      });

      it('leaves out those whose message is pending or in flight; what is in flight reaches somebody', async () => {
        const lease = await bench.claimed({ version: 2 });
        const { ledger } = bench.one;
        const notices = [1, 2].map((ordinal) => makeNotice({ ordinal, version: 2 }));
        await ledger.takeNotices(
          lease,
          'push-1',
          notices.map((notice) => ({ ...notice, class: 'must' })),
          at,
        );
        await ledger.insertDeliveries(lease, [makeDelivery({ ordinal: 1 })]);
        expect(await ledger.hasReached('item-住房', 2)).toBe(false);
        const departure = makeDeparture(1, { notice: makeNotice({ version: 2 }) });
        await ledger.depart(lease, [departure], at);
        expect(await ledger.toldOf('item-住房', 2)).toEqual([]);
        const reached = () =>
          Promise.all([
            bench.two.ledger.hasReached('item-住房', 2),
            ledger.hasReached('item-住房', 1),
            ledger.hasReached('unknown', 9),
          ]);
        expect(await reached()).toEqual([true, false, false]);
        await ledger.settle(lease, [makeOutcome(departure)]);
        expect(await reached()).toEqual([true, false, false]);
      });

      it('passes on in a merge what one was told, again and again, and through a chain of merges', async () => {
        await version(1, 'sms', [7]);
        await version(2, 'email', [7, 5]);
        const { ledger } = bench.one;
        await ledger.moveNotices(7, 5);
        await bench.two.ledger.moveNotices(7, 5);
        await ledger.moveNotices(5, 3);
        expect(await ledger.toldOf('item-住房', 1)).toEqual([3, 5, 7].map((ordinal) => ({ ordinal, channel: 'sms' })));
        expect((await ledger.toldOf('item-住房', 2)).map((one) => one.ordinal)).toEqual([3, 5, 7]);
        await ledger.moveNotices(404, 405);
        expect(await ledger.toldOf('item-住房', 9)).toHaveLength(3);
      });

      it('tells the older of a merge even of what was pending for them', async () => {
        await version(1, 'sms', [7]);
        const lease = await bench.claimed({ id: 'push-2', createdAt: at + 5 });
        const { ledger } = bench.one;
        await ledger.takeNotices(lease, 'push-2', [wanted(5)], at);
        await ledger.moveNotices(7, 5);
        expect(await ledger.takeNotices(lease, 'push-2', [wanted(5)], at)).toEqual([{ outcome: 'told' }]);
        expect(await ledger.toldOf('item-住房', 1)).toEqual([5, 7].map((ordinal) => ({ ordinal, channel: 'sms' })));
      });

      it('answers how many are in flight, whose outcome a repetition passes on', async () => {
        await version(1, 'sms', [7]);
        const lease = await bench.claimed({ id: 'push-2', version: 2, createdAt: at + 5 });
        const { ledger } = bench.one;
        const pending = { ...wanted(7), version: 3 };
        const key = { push: 'push-2', ordinal: 7, channel: 'email' as const };
        const departure = makeDeparture(7, { key, notice: makeNotice({ ordinal: 7, version: 2 }) });
        await ledger.takeNotices(lease, 'push-2', [{ ...departure.notice, class: 'must' }, pending], at);
        await ledger.insertDeliveries(lease, [makeDelivery(key)]);
        await ledger.depart(lease, [departure], at);
        expect(await ledger.moveNotices(7, 5)).toBe(1);
        expect((await ledger.toldOf('item-住房', 2)).map((one) => one.ordinal)).toEqual([5, 7]);
        await ledger.settle(lease, [makeOutcome(departure)]);
        expect(await bench.two.ledger.moveNotices(7, 5)).toBe(0);
        const asked = [1, 2, 3].map((number) => ({ ...wanted(5), version: number }));
        expect(await ledger.takeNotices(lease, 'push-2', asked, at)).toEqual([
          { outcome: 'told' },
          { outcome: 'told' },
          own,
        ]);
      });

      it('does not pass on what was never told', async () => {
        const lease = await bench.claimed({ ...makePush() });
        const { ledger } = bench.one;
        await ledger.takeNotices(lease, 'push-1', [wanted(7)], at);
        await ledger.insertDeliveries(lease, [makeDelivery({ ordinal: 7 })]);
        await ledger.moveNotices(7, 5);
        expect(await ledger.takeNotices(lease, 'push-1', [wanted(5)], at)).toEqual([own]);
      });
    });
  });
