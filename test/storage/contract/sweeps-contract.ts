import type { Delivery } from '../../../src/fanout/ledger-store.ts';
import { noCounts } from '../../../src/fanout/push.ts';
import {
  at,
  makeAttempt,
  makeDelivery,
  makeDeparture,
  makeNotice,
  makeOutcome,
  range,
} from '../../helpers/fanout-builders.ts';
import { type LedgerHandle, ledgerBench, type OpenedLedger } from './ledger-bench.ts';
import { fullScale, type Scale } from './push-store-contract.ts';

/** What every ledger keeps about sweeps: what is due is gathered once, what a push leaves open ends, what failed is redriven. */
export const describeSweeps = (name: string, open: () => Promise<OpenedLedger>, scale: Scale = fullScale): unknown =>
  describe(`ledger, sweeps: ${name}`, () => {
    const bench = ledgerBench(open);

    const deferred = (ordinal: number, fields: Partial<Delivery> = {}): Delivery =>
      makeDelivery({ ordinal, state: 'deferred', code: 'retry', dueAt: at, ...fields });
    /** Everybody whose row some open gathered batch holds, by the rows and by what its claimer is given. */
    const heldBy = async (handle: LedgerHandle, push: string, people: number[], batch: string): Promise<number[]> =>
      (await handle.ledger.deliveriesOf(push, people)).flatMap((row) => (row.holder === batch ? [row.ordinal] : []));

    describe('gathering', () => {
      it('gathers what is due into a batch that holds it', async () => {
        const lease = await bench.claimed();
        const { ledger, pushes } = bench.one;
        await ledger.insertDeliveries(lease, [
          deferred(1),
          deferred(2, { channel: null, dueAt: at - 1 }),
          deferred(3, { dueAt: at + 1 }),
          makeDelivery({ ordinal: 4 }),
          deferred(5, { state: 'digested', channel: null, code: 'daily-digest', dueAt: at + 1 }),
          deferred(6, { dueAt: null }),
          deferred(7, { state: 'digested', channel: null, code: 'daily-digest' }),
        ]);
        expect(await bench.two.ledger.gatherDue('due:1', at, 100)).toEqual({ lane: 'at-once', rows: 2 });
        expect(await ledger.gatherDue('due:2', at, 100)).toBeNull();
        const claim = await pushes.claim('t', ['at-once']);
        expect(claim?.batch).toMatchObject({ id: 'due:1', kind: 'due', push: null, lane: 'at-once', ordinals: [] });
        expect(claim?.batch.rows.sort((a, b) => a.ordinal - b.ordinal)).toEqual([
          { push: 'push-1', ordinal: 1, channel: 'email' },
          { push: 'push-1', ordinal: 2, channel: null },
        ]);
        const rows = await ledger.deliveriesOf('push-1', [1, 2, 3, 5, 7]);
        expect(rows.map((row) => [row.state, row.dueAt, row.holder])).toEqual([
          ['deferred', null, 'due:1'],
          ['deferred', null, 'due:1'],
          ['deferred', at + 1, null],
          ['digested', at + 1, null],
          ['digested', at, null],
        ]);
      });

      it('finds nothing when nothing is due', async () => {
        expect(await bench.one.ledger.gatherDue('due:1', at, 100)).toBeNull();
        expect(await bench.one.pushes.claim('t', ['at-once'])).toBeNull();
      });

      it('takes the most urgent lane first, and of one lane at a time', async () => {
        for (const [n, lane] of (['bulk', 'emergency', 'at-once'] as const).entries()) {
          const lease = await bench.claimed({ id: lane, lane, createdAt: at + n });
          await bench.one.ledger.insertDeliveries(
            lease,
            range(1, 3).map((ordinal) => deferred(ordinal, { push: lane, dueAt: at - 100 + n })),
          );
        }
        const gathered = [];
        for (let n = 0; n < 5; n += 1) gathered.push(await bench.one.ledger.gatherDue(`due:${n}`, at, 5));
        expect(gathered).toEqual([
          { lane: 'emergency', rows: 3 },
          { lane: 'at-once', rows: 3 },
          { lane: 'bulk', rows: 3 },
          null,
          null,
        ]);
      });

      it('takes no more than asked, of several pushes too', async () => {
        for (const id of ['push-1', 'push-2']) {
          const lease = await bench.claimed({ id, createdAt: at });
          await bench.one.ledger.insertDeliveries(
            lease,
            range(1, 4).map((ordinal) => deferred(ordinal, { push: id })),
          );
        }
        const sizes = [];
        for (let n = 0; n < 4; n += 1) sizes.push((await bench.one.ledger.gatherDue(`due:${n}`, at, 3))?.rows);
        expect(sizes).toEqual([3, 3, 2, undefined]);
      });

      it('leaves paused and cancelled pushes alone until they go on', async () => {
        const lease = await bench.claimed();
        const { ledger, pushes } = bench.one;
        await ledger.insertDeliveries(lease, [deferred(1)]);
        await pushes.setState('push-1', ['running'], 'paused');
        expect(await ledger.gatherDue('due:1', at, 5)).toBeNull();
        await pushes.setState('push-1', ['paused'], 'cancelled');
        expect(await ledger.gatherDue('due:2', at, 5)).toBeNull();
        await pushes.setState('push-1', ['cancelled'], 'running');
        await pushes.finish('push-1', 'running', at);
        expect(await ledger.gatherDue('due:3', at, 5)).toEqual({ lane: 'at-once', rows: 1 });
      });

      it('gives a row to one of several gatherers', async () => {
        const people = range(1, Math.ceil(scale.races / 4));
        const lease = await bench.claimed();
        await bench.one.ledger.insertDeliveries(
          lease,
          people.map((ordinal) => deferred(ordinal)),
        );
        const ids = range(1, 8).map((n) => `due:${n}`);
        await Promise.all(
          ids.map((id, n) => (n % 2 ? bench.one : bench.two).ledger.gatherDue(id, at, Math.ceil(people.length / 4))),
        );
        let last = 0;
        while (await bench.one.ledger.gatherDue(`due:last-${last}`, at, people.length)) {
          ids.push(`due:last-${last}`);
          last += 1;
        }
        const held = await Promise.all(ids.map((id) => heldBy(bench.two, 'push-1', people, id)));
        expect(held.flat().sort((a, b) => a - b)).toEqual(people);
        const rows: number[] = [];
        for (
          let claim = await bench.one.pushes.claim('t', ['at-once']);
          claim;
          claim = await bench.one.pushes.claim('t', ['at-once'])
        )
          rows.push(...claim.batch.rows.map((row) => row.ordinal));
        expect(new Set(rows)).toEqual(new Set(people));
      });

      it('may be gathered again once it is due again', async () => {
        const lease = await bench.claimed();
        const { ledger, pushes } = bench.one;
        await ledger.insertDeliveries(lease, [deferred(1)]);
        await ledger.gatherDue('due:1', at, 5);
        await pushes.claim('t', ['at-once']);
        const key = { push: 'push-1', ordinal: 1, channel: 'email' as const };
        await ledger.changeDeliveries({ batch: 'due:1', token: 't' }, [
          { key, from: ['deferred'], to: { state: 'deferred', code: 'paused', dueAt: at + 5, at } },
        ]);
        await pushes.close('due:1', 't');
        expect(await ledger.gatherDue('due:2', at, 5)).toBeNull();
        expect(await ledger.gatherDue('due:3', at + 5, 5)).toEqual({ lane: 'at-once', rows: 1 });
      });
    });

    describe('ending', () => {
      const tell = async (lease: { batch: string; token: string }, ordinal: number): Promise<void> => {
        const { ledger } = bench.one;
        await ledger.takeNotices(lease, 'push-1', [{ ...makeNotice({ ordinal }), class: 'must' }], at);
      };

      it('ends every open row, one count a person, and frees their notices', async () => {
        const lease = await bench.claimed();
        const { ledger, pushes } = bench.one;
        for (const ordinal of range(1, 6)) await tell(lease, ordinal);
        await ledger.insertDeliveries(lease, [
          makeDelivery({ ordinal: 1 }),
          makeDelivery({ ordinal: 2, state: 'failed' }),
          deferred(2, { channel: 'sms' }),
          deferred(3, { state: 'digested', channel: null }),
          deferred(3, { channel: 'sms' }),
          makeDelivery({ ordinal: 4 }),
          makeDelivery({ ordinal: 5, state: 'withheld', code: 'expired' }),
        ]);
        await ledger.depart(lease, [makeDeparture(4)], at);
        expect(await ledger.endOpen('push-1', 'cancelled', 'cancelled', at + 3)).toBe(3);
        expect(await ledger.endOpen('push-1', 'cancelled', 'cancelled', at + 4)).toBe(0);
        const rows = await bench.two.ledger.deliveriesOf('push-1', range(1, 5));
        expect(rows.map((row) => [row.ordinal, row.channel, row.state, row.code, row.dueAt])).toEqual([
          [1, 'email', 'cancelled', 'cancelled', null],
          [2, 'email', 'failed', null, null],
          [2, 'sms', 'cancelled', 'cancelled', null],
          [3, null, 'cancelled', 'cancelled', null],
          [3, 'sms', 'cancelled', 'cancelled', null],
          [4, 'email', 'sending', null, null],
          [5, 'email', 'withheld', 'expired', null],
        ]);
        expect(rows[0]?.at).toBe(at + 3);
        expect(await pushes.batchesOf('push-1')).toMatchObject([{ dirty: true }]);
        const rival = await bench.claimed({ id: 'push-2', createdAt: at + 1 });
        const asked = range(1, 4).map((ordinal) => ({ ...makeNotice({ ordinal }), class: 'must' as const }));
        const taken = await ledger.takeNotices(rival, 'push-2', asked, at);
        expect(taken.map((one) => one.outcome)).toEqual(['own', 'own', 'own', 'held']);
      });

      it('frees notices that stand under another ordinal than their rows (a merge), and only pending ones of its own', async () => {
        const lease = await bench.claimed();
        const rival = await bench.claimed({ id: 'push-2', createdAt: at + 1 });
        const { ledger } = bench.one;
        for (const ordinal of [1, 2, 3]) await tell(lease, ordinal);
        await ledger.takeNotices(rival, 'push-2', [{ ...makeNotice({ ordinal: 4 }), class: 'must' }], at);
        // person 9 was merged into 1; 2 is in flight
        await ledger.insertDeliveries(lease, [deferred(9), makeDelivery({ ordinal: 2 })]);
        await ledger.depart(lease, [makeDeparture(2)], at);
        expect(await ledger.endOpen('push-1', 'cancelled', 'cancelled', at)).toBe(1);
        const third = await bench.claimed({ id: 'push-3', createdAt: at + 2 });
        const asked = range(1, 4).map((ordinal) => ({ ...makeNotice({ ordinal }), class: 'must' as const }));
        expect(await bench.two.ledger.takeNotices(third, 'push-3', asked, at)).toEqual([
          { outcome: 'own', over: null },
          { outcome: 'held', by: 'push-1' },
          { outcome: 'own', over: null },
          { outcome: 'held', by: 'push-2' },
        ]);
      });

      it('takes gathered rows out of their batch', async () => {
        const lease = await bench.claimed();
        const { ledger } = bench.one;
        await ledger.insertDeliveries(lease, [deferred(1)]);
        await ledger.gatherDue('due:1', at, 5);
        expect(await ledger.endOpen('push-1', 'withheld', 'superseded', at)).toBe(1);
        expect(await ledger.deliveriesOf('push-1', [1])).toMatchObject([{ state: 'withheld', holder: null }]);
      });

      it('knows nothing of unknown pushes', async () => {
        expect(await bench.one.ledger.endOpen('unknown', 'withheld', 'superseded', at)).toBe(0);
      });

      it(`ends the rows of ${Math.min(scale.many, 6_000)} people`, async () => {
        const people = Math.min(scale.many, 6_000);
        const lease = await bench.claimed({}, people);
        const { ledger } = bench.one;
        await ledger.insertDeliveries(
          lease,
          range(1, people).flatMap((ordinal) =>
            ordinal % 100
              ? [makeDelivery({ ordinal })]
              : [makeDelivery({ ordinal, state: 'failed' }), deferred(ordinal, { channel: 'sms' })],
          ),
        );
        expect(await ledger.endOpen('push-1', 'cancelled', 'cancelled', at)).toBe(people);
        const counts = await ledger.count('push-1', range(1, people));
        const failed = Math.floor(people / 100);
        expect(counts).toEqual({ ...noCounts(), cancelled: people - failed, failed });
      });
    });

    describe('redriving', () => {
      const failed = async (): Promise<void> => {
        const lease = await bench.claimed();
        const { ledger, pushes } = bench.one;
        const both = [1, 2].map((ordinal) => makeDeparture(ordinal));
        await ledger.takeNotices(
          lease,
          'push-1',
          both.map((one) => ({ ...one.notice, class: 'must' })),
          at,
        );
        await ledger.insertDeliveries(lease, [
          ...both.map((one) => makeDelivery({ ordinal: one.key.ordinal })),
          makeDelivery({ ordinal: 3, state: 'sent' }),
        ]);
        await ledger.depart(lease, both, at);
        const to = { state: 'failed' as const, code: 'rejected', dueAt: null, attempts: 5 };
        await ledger.settle(
          lease,
          both.map((one) => makeOutcome(one, { to, attempt: makeAttempt({ ok: false }) })),
        );
        await pushes.close(lease.batch, lease.token);
        for (const { batch, mark } of await pushes.dirty(10)) await pushes.setCounts(batch.id, noCounts(), mark);
      };

      it('makes the failed rows of a push due again, and no others', async () => {
        await failed();
        expect(await bench.one.ledger.redrive({ push: 'push-1' }, at + 9)).toBe(2);
        expect(await bench.two.ledger.redrive({ push: 'push-1' }, at + 9)).toBe(0);
        const rows = await bench.one.ledger.deliveriesOf('push-1', [1, 2, 3]);
        expect(rows.map((row) => [row.state, row.code, row.attempts, row.dueAt])).toEqual([
          ['deferred', 'redriven', 0, at + 9],
          ['deferred', 'redriven', 0, at + 9],
          ['sent', null, 0, null],
        ]);
        expect(await bench.one.pushes.dirty(10)).toHaveLength(1);
        expect(await bench.one.ledger.gatherDue('due:1', at + 9, 10)).toEqual({ lane: 'at-once', rows: 2 });
      });

      it('redrives by message', async () => {
        await failed();
        const messages = ['message-push-1-2-email', 'unknown', ''];
        expect(await bench.one.ledger.redrive({ messages }, at + 9)).toBe(1);
        const rows = await bench.one.ledger.deliveriesOf('push-1', [1, 2]);
        expect(rows.map((row) => row.state)).toEqual(['failed', 'deferred']);
      });

      it('redrives nothing when nothing is named, or what is named is unknown', async () => {
        await failed();
        for (const which of [{}, { messages: [] }, { messages: ['unknown'] }, { push: 'unknown' }])
          expect(await bench.one.ledger.redrive(which, at)).toBe(0);
      });

      it('redrives what both the push and the messages name, when both are given', async () => {
        await failed();
        await bench.claimed({ id: 'push-2', createdAt: at + 1 });
        const { ledger } = bench.one;
        const messages = ['message-push-1-2-email'];
        expect(await ledger.redrive({ push: 'push-2', messages }, at)).toBe(0);
        expect(await ledger.redrive({ push: 'push-1', messages: [] }, at)).toBe(0);
        expect(await ledger.redrive({ push: 'push-1', messages }, at)).toBe(1);
        const rows = await ledger.deliveriesOf('push-1', [1, 2]);
        expect(rows.map((row) => row.state)).toEqual(['failed', 'deferred']);
      });

      it('leaves the rows of cancelled pushes alone', async () => {
        await failed();
        const { ledger, pushes } = bench.one;
        await pushes.setState('push-1', ['running'], 'cancelled');
        await pushes.finish('push-1', 'cancelled', at);
        for (const which of [{ push: 'push-1' }, { messages: ['message-push-1-1-email'] }])
          expect(await ledger.redrive(which, at)).toBe(0);
        const rows = await ledger.deliveriesOf('push-1', [1, 2]);
        expect(rows.map((row) => row.state)).toEqual(['failed', 'failed']);
        expect(await pushes.dirty(10)).toEqual([]);
      });

      it('lets a redriven row leave again', async () => {
        await failed();
        const { ledger, pushes } = bench.one;
        await ledger.redrive({ messages: ['message-push-1-1-email'] }, at);
        await ledger.gatherDue('due:1', at, 10);
        await pushes.claim('t', ['at-once']);
        const due = { batch: 'due:1', token: 't' };
        await ledger.takeNotices(due, 'push-1', [{ ...makeNotice(), class: 'must' }], at);
        expect(await ledger.depart(due, [makeDeparture(1)], at)).toEqual([true]);
        await ledger.settle(due, [makeOutcome(makeDeparture(1), { attempt: makeAttempt({ at: at + 99 }) })]);
        expect((await ledger.message('message-push-1-1-email'))?.attempts).toHaveLength(2);
        expect(await ledger.toldOf('item-住房', 1)).toEqual([{ ordinal: 1, channel: 'email' }]);
      });
    });
  });
