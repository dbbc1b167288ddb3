import { LeaseLost, type Outcome } from '../../../src/fanout/ledger-store.ts';
import {
  at,
  makeAttempt,
  makeBatch,
  makeDelivery,
  makeDeparture,
  makeNotice,
  makeOutcome,
  range,
} from '../../helpers/fanout-builders.ts';
import { ledgerBench, type OpenedLedger } from './ledger-bench.ts';
import { fullScale, type Scale } from './push-store-contract.ts';

/** What every ledger keeps about what leaves: a slot is taken durably, and its outcome is recorded once. */
export const describeSending = (name: string, open: () => Promise<OpenedLedger>, scale: Scale = fullScale): unknown =>
  describe(`ledger, sending: ${name}`, () => {
    const bench = ledgerBench(open);

    /** People 1 … `people` with their notices and planned rows; answers the lease. */
    const ready = async (people = 3): Promise<{ batch: string; token: string }> => {
      const lease = await bench.claimed();
      const { ledger } = bench.one;
      const ordinals = range(1, people);
      await ledger.takeNotices(
        lease,
        'push-1',
        ordinals.map((ordinal) => ({ ...makeNotice({ ordinal }), class: 'must' as const })),
        at,
      );
      await ledger.insertDeliveries(
        lease,
        ordinals.map((ordinal) => makeDelivery({ ordinal })),
      );
      return lease;
    };
    const rowOf = async (ordinal: number) => (await bench.two.ledger.deliveriesOf('push-1', [ordinal]))[0];
    const noticeOf = async (ordinal: number): Promise<string> => {
      const lease = { batch: 'push-9:0', token: 'token-9' };
      if (!(await bench.two.pushes.get('push-9')))
        Object.assign(lease, await bench.claimed({ id: 'push-9', createdAt: at + 9 }));
      const [seen] = (await bench.two.pushes.leases()).filter((one) => one.id === 'push-9:0');
      const asked = [{ ...makeNotice({ ordinal }), class: 'suggestion' as const }];
      const [taken] = await bench.two.ledger.takeNotices(
        { batch: 'push-9:0', token: seen?.token ?? '' },
        'push-9',
        asked,
        at,
      );
      if (taken?.outcome === 'own') await bench.two.ledger.releaseNotices('push-9', [makeNotice({ ordinal })]);
      return taken?.outcome === 'own' ? 'free' : (taken?.outcome ?? '');
    };
    const failing = (fields: Partial<Outcome['to']> = {}): Partial<Outcome> => ({
      attempt: makeAttempt({ ok: false, response: '550 no such user' }),
      to: { state: 'failed', code: 'no-such-user', dueAt: null, attempts: 1, ...fields },
    });

    describe('a turn', () => {
      it('records what ended and takes slots for what goes, under each lease', async () => {
        const lease = await ready(3);
        const { ledger } = bench.one;
        await ledger.depart(lease, [makeDeparture(1)], at);
        const answers = await ledger.exchange(
          [{ lease, outcomes: [makeOutcome(makeDeparture(1))], departures: [makeDeparture(1), makeDeparture(2)] }],
          at + 1,
        );
        expect(answers).toEqual([[false, true]]);
        expect((await rowOf(1))?.state).toBe('sent');
        expect((await rowOf(2))?.state).toBe('sending');
        expect((await bench.two.ledger.message('message-push-1-1-email'))?.attempts).toHaveLength(1);
        expect(await ledger.exchange([], at + 2)).toEqual([]);
      });

      it('lets nothing go for a lease that is lost, and holds up no other', async () => {
        const lease = await ready(2);
        const { ledger } = bench.one;
        const lost = { batch: lease.batch, token: 'somebody-else' };
        const answers = await ledger.exchange(
          [
            { lease: lost, outcomes: [], departures: [makeDeparture(1)] },
            { lease, outcomes: [], departures: [makeDeparture(2)] },
          ],
          at,
        );
        expect(answers).toEqual([null, [true]]);
        expect((await rowOf(1))?.state).toBe('planned');
        expect((await rowOf(2))?.state).toBe('sending');
      });
    });

    describe('departing', () => {
      it('takes the slot: the row is in flight under its batch and the message is stored', async () => {
        const lease = await ready();
        expect(await bench.one.ledger.depart(lease, [makeDeparture(1, { revision: 2 })], at + 7)).toEqual([true]);
        expect(await rowOf(1)).toStrictEqual(
          makeDelivery({
            state: 'sending',
            revision: 2,
            at: at + 7,
            message: 'message-push-1-1-email',
            holder: lease.batch,
          }),
        );
        expect(await bench.two.ledger.message('message-push-1-1-email')).toStrictEqual({
          id: 'message-push-1-1-email',
          kind: 'delivery',
          holder: null,
          push: 'push-1',
          ordinal: 1,
          channel: 'email',
          template: 'publication',
          createdAt: at + 7,
          attempts: [],
        });
        expect(await noticeOf(1)).toBe('held');
      });

      it('answers for each whether it may go', async () => {
        const lease = await ready(3);
        const { ledger } = bench.one;
        await ledger.releaseNotices('push-1', [makeNotice({ ordinal: 2 })]);
        await ledger.changeDeliveries(lease, [
          {
            key: { push: 'push-1', ordinal: 3, channel: 'email' },
            from: ['planned'],
            to: { state: 'withheld', code: 'expired', at },
          },
        ]);
        const all = [3, 2, 1, 44].map((ordinal) => makeDeparture(ordinal));
        expect(await ledger.depart(lease, all, at)).toEqual([false, false, true, false]);
        expect((await rowOf(2))?.state).toBe('planned');
        expect((await rowOf(3))?.state).toBe('withheld');
        expect(await ledger.depart(lease, [], at)).toEqual([]);
      });

      it('lets a row follow the message that told the person of its push, and only of its push', async () => {
        const lease = await ready(1);
        const { ledger } = bench.one;
        const first = makeDeparture(1);
        const follows = makeDeparture(1, { key: { push: 'push-1', ordinal: 1, channel: 'sms' } });
        await ledger.depart(lease, [first], at);
        const next = makeDelivery({ channel: 'sms', state: 'planned', code: 'fallback' });
        await ledger.settle(lease, [makeOutcome(first, { next })]);
        expect(await ledger.depart(lease, [follows], at)).toEqual([false]);
        expect(await ledger.depart(lease, [{ ...follows, again: true }], at)).toEqual([true]);
        const failed = { state: 'failed' as const, code: 'refused', dueAt: null, attempts: 1 };
        await ledger.settle(lease, [makeOutcome(follows, { to: failed })]);
        expect(await noticeOf(1)).toBe('told');
        expect(await ledger.toldOf('item-住房', 1)).toEqual([{ ordinal: 1, channel: 'email' }]);

        const rival = await bench.claimed({ id: 'push-2', lane: 'emergency', createdAt: at + 1 });
        const key = { push: 'push-2', ordinal: 1, channel: 'sms' as const };
        await ledger.insertDeliveries(rival, [makeDelivery(key)]);
        expect(await ledger.depart(rival, [makeDeparture(1, { key, again: true })], at)).toEqual([false]);
      });

      it('leaves the notice pending when the row may not go', async () => {
        const lease = await ready(1);
        const { ledger } = bench.one;
        const other = makeDeparture(1, { key: { push: 'push-1', ordinal: 1, channel: 'sms' } });
        expect(await ledger.depart(lease, [other], at)).toEqual([false]);
        const rival = await bench.claimed({ id: 'push-2', lane: 'emergency', createdAt: at + 1 });
        const asked = [{ ...makeNotice({ ordinal: 1 }), class: 'emergency' as const }];
        expect(await ledger.takeNotices(rival, 'push-2', asked, at)).toEqual([{ outcome: 'own', over: 'push-1' }]);
      });

      it('resumes a row in flight under its own batch, after its holder died, and under no other', async () => {
        const lease = await ready(1);
        await bench.one.ledger.depart(lease, [makeDeparture(1)], at);
        const [seen] = await bench.two.pushes.leases();
        if (seen) await bench.two.pushes.steal(seen, 'thief');
        const thief = { ...lease, token: 'thief' };
        expect(await bench.two.ledger.depart(thief, [makeDeparture(1)], at + 1)).toEqual([true]);
        await bench.two.pushes.insertBatches([makeBatch({ id: 'push-1:9', ordinals: [1] })]);
        await bench.two.pushes.claim('other', ['at-once']);
        const other = { batch: 'push-1:9', token: 'other' };
        expect(await bench.two.ledger.depart(other, [makeDeparture(1)], at + 1)).toEqual([false]);
      });

      it('does not let one person’s notice leave with two rows', async () => {
        const lease = await ready(1);
        const { ledger } = bench.one;
        await ledger.insertDeliveries(lease, [makeDelivery({ ordinal: 2 })]);
        const heir = makeDeparture(2, { notice: makeNotice({ ordinal: 1 }) });
        expect(await ledger.depart(lease, [makeDeparture(1), heir], at)).toEqual([true, false]);
        await ledger.settle(lease, [makeOutcome(makeDeparture(1))]);
        expect(await ledger.depart(lease, [heir], at)).toEqual([false]);
      });

      it('takes a deferred row only under the batch that gathered it', async () => {
        const lease = await ready(1);
        const { ledger, pushes } = bench.one;
        const key = { push: 'push-1', ordinal: 1, channel: 'email' as const };
        await ledger.changeDeliveries(lease, [{ key, from: ['planned'], to: { state: 'deferred', dueAt: at, at } }]);
        expect(await ledger.depart(lease, [makeDeparture(1)], at)).toEqual([false]);
        await ledger.gatherDue('due:1', at, 5);
        expect(await ledger.depart(lease, [makeDeparture(1)], at)).toEqual([false]);
        await pushes.claim('t-due', ['at-once']);
        expect(await ledger.depart({ batch: 'due:1', token: 't-due' }, [makeDeparture(1)], at)).toEqual([true]);
        expect(await rowOf(1)).toMatchObject({ state: 'sending', dueAt: null, holder: 'due:1' });
      });

      it('throws when the lease is lost, and nothing has left', async () => {
        const lease = await ready(1);
        await expect(bench.one.ledger.depart({ ...lease, token: 'x' }, [makeDeparture(1)], at)).rejects.toThrow(
          LeaseLost,
        );
        expect((await rowOf(1))?.state).toBe('planned');
      });

      it('lets a row leave once, however many handles try under different batches', async () => {
        const lease = await ready(1);
        const { pushes } = bench.one;
        for (let n = 1; n <= 5; n += 1) {
          await pushes.insertBatches([makeBatch({ id: `push-1:${n}`, ordinals: [1] })]);
          await pushes.claim(`racer-${n}`, ['at-once']);
        }
        const left = await Promise.all([
          bench.one.ledger.depart(lease, [makeDeparture(1)], at),
          ...range(1, 5).map((n) =>
            (n % 2 ? bench.two : bench.one).ledger.depart(
              { batch: `push-1:${n}`, token: `racer-${n}` },
              [makeDeparture(1)],
              at,
            ),
          ),
        ]);
        expect(left.flat().filter(Boolean)).toHaveLength(1);
      });
    });

    describe('settling', () => {
      it('records what was sent: attempt, row, notice', async () => {
        const lease = await ready(1);
        await bench.one.ledger.depart(lease, [makeDeparture(1)], at);
        const attempt = makeAttempt({ reference: '参考-1' });
        await bench.two.ledger.settle(lease, [makeOutcome(makeDeparture(1), { attempt })]);
        expect(await rowOf(1)).toStrictEqual(
          makeDelivery({ state: 'sent', attempts: 1, at: attempt.at, message: 'message-push-1-1-email' }),
        );
        expect((await bench.one.ledger.message('message-push-1-1-email'))?.attempts).toStrictEqual([attempt]);
        expect(await noticeOf(1)).toBe('told');
        expect(await bench.one.ledger.messageByReference('smtp-1', '参考-1')).toMatchObject({ ordinal: 1 });
      });

      it('changes nothing when the same outcome is recorded twice, or by two at once', async () => {
        const lease = await ready(2);
        const both = [1, 2].map((ordinal) => makeDeparture(ordinal));
        await bench.one.ledger.depart(lease, both, at);
        const outcomes = both.map((one) => makeOutcome(one));
        await Promise.all([bench.one.ledger.settle(lease, outcomes), bench.two.ledger.settle(lease, outcomes)]);
        await bench.one.ledger.settle(lease, outcomes);
        const messages = await bench.one.ledger.messages(both.map((one) => one.message));
        expect(messages.map((message) => message.attempts.length)).toEqual([1, 1]);
        expect((await rowOf(2))?.attempts).toBe(1);
      });

      it('keeps two attempts of the same moment apart', async () => {
        const lease = await ready(1);
        const { ledger } = bench.one;
        await ledger.depart(lease, [makeDeparture(1)], at);
        for (const response of ['421 later', '451 greylisted'])
          await ledger.settle(lease, [
            makeOutcome(makeDeparture(1), { attempt: makeAttempt({ ok: false, response }) }),
          ]);
        expect((await ledger.message('message-push-1-1-email'))?.attempts).toHaveLength(2);
      });

      it('defers what failed for now; its notice is pending again', async () => {
        const lease = await ready(1);
        const { ledger } = bench.one;
        await ledger.depart(lease, [makeDeparture(1)], at);
        const later = failing({ state: 'deferred', code: 'retry', dueAt: at + 60_000 });
        await ledger.settle(lease, [makeOutcome(makeDeparture(1), later)]);
        expect(await rowOf(1)).toMatchObject({ state: 'deferred', code: 'retry', dueAt: at + 60_000, holder: null });
        expect(await noticeOf(1)).toBe('held');
        const rival = await bench.claimed({ id: 'push-2', lane: 'emergency', createdAt: at + 1 });
        const asked = [{ ...makeNotice(), class: 'emergency' as const }];
        expect(await ledger.takeNotices(rival, 'push-2', asked, at)).toMatchObject([{ over: 'push-1' }]);
      });

      it('releases the notice of what failed for good', async () => {
        const lease = await ready(1);
        await bench.one.ledger.depart(lease, [makeDeparture(1)], at);
        await bench.one.ledger.settle(lease, [makeOutcome(makeDeparture(1), failing())]);
        expect(await rowOf(1)).toMatchObject({ state: 'failed', code: 'no-such-user', holder: null });
        expect(await noticeOf(1)).toBe('free');
      });

      it('keeps the notice for the successor on the next channel', async () => {
        const lease = await ready(1);
        const { ledger } = bench.one;
        await ledger.depart(lease, [makeDeparture(1)], at);
        const next = makeDelivery({ channel: 'sms', state: 'deferred', code: 'retry', dueAt: at + 1 });
        const outcome = makeOutcome(makeDeparture(1), { ...failing(), next });
        await ledger.settle(lease, [outcome]);
        await bench.two.ledger.settle(lease, [outcome]);
        expect(await ledger.deliveriesOf('push-1', [1])).toMatchObject([
          { channel: 'email', state: 'failed' },
          { ...next },
        ]);
        expect(await noticeOf(1)).toBe('held');
      });

      it('keeps the attempt, not the state, of a row that is in flight no more', async () => {
        const lease = await ready(1);
        const { ledger } = bench.one;
        await ledger.depart(lease, [makeDeparture(1)], at);
        await ledger.settle(lease, [makeOutcome(makeDeparture(1))]);
        const again = makeAttempt({ at: at + 9_999, ok: false, response: '550 late' });
        await ledger.settle(lease, [makeOutcome(makeDeparture(1), { ...failing(), attempt: again })]);
        expect(await rowOf(1)).toMatchObject({ state: 'sent', attempts: 1 });
        expect((await ledger.message('message-push-1-1-email'))?.attempts).toHaveLength(2);
        expect(await noticeOf(1)).toBe('told');
      });

      it('records nothing under a lease that is lost', async () => {
        const lease = await ready(1);
        await bench.one.ledger.depart(lease, [makeDeparture(1)], at);
        await expect(
          bench.one.ledger.settle({ ...lease, token: 'x' }, [makeOutcome(makeDeparture(1))]),
        ).rejects.toThrow(LeaseLost);
        expect((await rowOf(1))?.state).toBe('sending');
        await bench.one.ledger.settle(lease, []);
      });
    });

    describe('messages and receipts', () => {
      const sent = async (): Promise<void> => {
        const lease = await ready(2);
        const { ledger } = bench.one;
        const both = [1, 2].map((ordinal) => makeDeparture(ordinal));
        await ledger.depart(lease, both, at);
        await ledger.settle(
          lease,
          both.map((one, n) => makeOutcome(one, { attempt: makeAttempt({ reference: `ref-${n + 1}` }) })),
        );
        await bench.one.pushes.close(lease.batch, lease.token);
        for (const { batch, mark } of await bench.one.pushes.dirty(10))
          await bench.one.pushes.setCounts(batch.id, await ledger.count('push-1', batch.ordinals), mark);
      };
      const receipt = makeAttempt({ at: at + 60_000, response: 'DELIVRD', reference: 'ref-1' });

      it('answers the messages of ids and leaves unknown ones out', async () => {
        await sent();
        const { ledger } = bench.two;
        const ids = ['message-push-1-2-email', 'unknown', '', "'; --", '信', 'message-push-1-1-email'];
        expect((await ledger.messages(ids)).map((message) => message.ordinal).sort()).toEqual([1, 2]);
        expect(await ledger.messages([])).toEqual([]);
        for (const id of ['unknown', '', '$ne']) expect(await ledger.message(id)).toBeNull();
      });

      it('finds a message by the provider’s reference', async () => {
        await sent();
        const { ledger } = bench.two;
        expect((await ledger.messageByReference('smtp-1', 'ref-2'))?.ordinal).toBe(2);
        expect(await ledger.messageByReference('smtp-2', 'ref-2')).toBeNull();
        expect(await ledger.messageByReference('smtp-1', '')).toBeNull();
      });

      it('delivers what was sent, once, keeps the receipt and marks the batch', async () => {
        await sent();
        const id = 'message-push-1-1-email';
        expect(await bench.two.ledger.receipt(id, 'delivered', receipt)).toBe(true);
        expect(await bench.one.ledger.receipt(id, 'delivered', receipt)).toBe(false);
        expect(await rowOf(1)).toMatchObject({ state: 'delivered', at: receipt.at });
        expect((await bench.one.ledger.message(id))?.attempts.at(-1)).toEqual(receipt);
        expect((await bench.one.pushes.dirty(10)).map(({ batch }) => batch.id)).toEqual(['push-1:0']);
        expect((await bench.two.ledger.messageByReference('smtp-1', 'ref-1'))?.ordinal).toBe(1);
      });

      it('bounces what was sent or delivered, for good', async () => {
        await sent();
        const { ledger } = bench.two;
        await ledger.receipt('message-push-1-1-email', 'delivered', receipt);
        const bounce = makeAttempt({ ok: false, response: '5.1.1' });
        for (const n of [1, 2]) expect(await ledger.receipt(`message-push-1-${n}-email`, 'bounced', bounce)).toBe(true);
        expect(await ledger.receipt('message-push-1-1-email', 'delivered', receipt)).toBe(false);
        expect((await rowOf(1))?.state).toBe('bounced');
        expect(await noticeOf(1)).toBe('told');
      });

      it('keeps a receipt of one address of several, and moves nothing', async () => {
        await sent();
        const bounce = makeAttempt({ at: at + 60_000, provider: 'bounce', ok: false });
        expect(await bench.two.ledger.receipt('message-push-1-1-email', null, bounce)).toBe(true);
        expect(await rowOf(1)).toMatchObject({ state: 'sent' });
        expect((await bench.one.ledger.message('message-push-1-1-email'))?.attempts.at(-1)).toEqual(bounce);
        expect(await bench.one.ledger.receipt('unknown', null, bounce)).toBe(false);
      });

      it('takes no receipt for what is unknown or not sent', async () => {
        const lease = await ready(1);
        const { ledger } = bench.one;
        await ledger.depart(lease, [makeDeparture(1)], at);
        await ledger.settle(lease, [makeOutcome(makeDeparture(1), failing())]);
        for (const id of ['message-push-1-1-email', 'unknown', '', "'; --"])
          for (const to of ['delivered', 'bounced'] as const) expect(await ledger.receipt(id, to, receipt)).toBe(false);
        expect((await rowOf(1))?.state).toBe('failed');
        expect((await ledger.message('message-push-1-1-email'))?.attempts).toHaveLength(1);
      });

      describe('that come before the outcome', () => {
        const id = 'message-push-1-1-email';
        const bounce = makeAttempt({ at: at + 2, ok: false, response: 'UNDELIV' });
        /** A message in flight, for which these receipts have come; answers the lease. */
        const early = async (...receipts: ('delivered' | 'bounced')[]) => {
          const lease = await ready(1);
          await bench.one.ledger.depart(lease, [makeDeparture(1)], at);
          for (const to of receipts)
            expect(await bench.two.ledger.receipt(id, to, to === 'bounced' ? bounce : receipt)).toBe(true);
          return lease;
        };
        const next = makeDelivery({ channel: 'sms', state: 'deferred', code: 'retry', dueAt: at + 1 });
        const states = async () => (await bench.two.ledger.deliveriesOf('push-1', [1])).map((row) => row.state);

        it('are kept with the message, once; the row stays in flight until its outcome', async () => {
          const lease = await early('delivered');
          const { ledger } = bench.one;
          expect(await ledger.receipt(id, 'delivered', receipt)).toBe(false);
          expect(await rowOf(1)).toMatchObject({ state: 'sending', holder: lease.batch });
          expect((await ledger.message(id))?.attempts).toEqual([receipt]);
          const attempt = makeAttempt({ reference: 'ref-1' });
          for (const handle of [bench.one, bench.two])
            await handle.ledger.settle(lease, [makeOutcome(makeDeparture(1), { attempt })]);
          expect(await rowOf(1)).toMatchObject({ state: 'delivered', attempts: 1, holder: null });
          expect((await ledger.message(id))?.attempts).toEqual([receipt, attempt]);
          expect((await ledger.messageByReference('smtp-1', 'ref-1'))?.id).toBe(id);
          expect(await noticeOf(1)).toBe('told');
        });

        it('bounce what was sent, also after it was delivered, but not the other way round', async () => {
          const lease = await early('delivered', 'bounced');
          expect(await bench.one.ledger.receipt(id, 'delivered', receipt)).toBe(false);
          await bench.one.ledger.settle(lease, [makeOutcome(makeDeparture(1))]);
          expect(await states()).toEqual(['bounced']);
          expect(await noticeOf(1)).toBe('told');
        });

        it('outrank a failure when they say delivered: it does not go out again, nor over another channel', async () => {
          const lease = await early('delivered');
          await bench.one.ledger.settle(lease, [makeOutcome(makeDeparture(1), { ...failing(), next })]);
          expect(await states()).toEqual(['delivered']);
          expect(await noticeOf(1)).toBe('told');
        });

        it('leave a failure as it is when they say bounced', async () => {
          const lease = await early('bounced');
          await bench.one.ledger.settle(lease, [makeOutcome(makeDeparture(1), { ...failing(), next })]);
          expect(await states()).toEqual(['failed', 'deferred']);
          expect(await noticeOf(1)).toBe('held');
        });

        it('do not count for a later attempt', async () => {
          const lease = await early('bounced');
          const { ledger, pushes } = bench.one;
          const later = failing({ state: 'deferred', code: 'retry', dueAt: at });
          await ledger.settle(lease, [makeOutcome(makeDeparture(1), later)]);
          await ledger.gatherDue('due:1', at, 5);
          await pushes.close(lease.batch, lease.token);
          await pushes.claim('t', ['at-once']);
          const due = { batch: 'due:1', token: 't' };
          expect(await ledger.depart(due, [makeDeparture(1)], at)).toEqual([true]);
          await ledger.settle(due, [makeOutcome(makeDeparture(1), { attempt: makeAttempt({ at: at + 99 }) })]);
          expect(await states()).toEqual(['sent']);
        });

        it('are not lost however receipt and outcome cross', async () => {
          const people = Math.ceil(scale.races / 4);
          const lease = await bench.claimed({}, people);
          const { ledger } = bench.one;
          const all = range(1, people).map((ordinal) => makeDeparture(ordinal));
          const asked = all.map((one) => ({ ...one.notice, class: 'must' as const }));
          await ledger.takeNotices(lease, 'push-1', asked, at);
          await ledger.insertDeliveries(
            lease,
            all.map((one) => makeDelivery({ ordinal: one.key.ordinal })),
          );
          await ledger.depart(lease, all, at);
          await Promise.all(
            all.flatMap((one) => [
              ledger.settle(lease, [makeOutcome(one)]),
              bench.two.ledger.receipt(one.message, 'delivered', receipt),
            ]),
          );
          const rows = await ledger.deliveriesOf('push-1', range(1, people));
          expect(rows.map((row) => row.state)).toEqual(all.map(() => 'delivered'));
        });
      });

      it(`asks for ${scale.many} messages at once`, async () => {
        await sent();
        const ids = [...range(1, scale.many).map((n) => `no-message-${n}`), 'message-push-1-1-email'];
        expect(await bench.one.ledger.messages(ids)).toHaveLength(1);
      });
    });
  });
