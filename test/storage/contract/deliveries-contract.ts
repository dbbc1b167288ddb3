import { type Delivery, type DeliveryChange, LeaseLost } from '../../../src/fanout/ledger-store.ts';
import { deliveryStates, noCounts } from '../../../src/fanout/push.ts';
import { at, makeBatch, makeDelivery, makePush, range } from '../../helpers/fanout-builders.ts';
import { ledgerBench, type OpenedLedger } from './ledger-bench.ts';
import { fullScale, type Scale } from './push-store-contract.ts';

const keyOf = ({ push, ordinal, channel }: Delivery) => ({ push, ordinal, channel });

/** What every ledger keeps about its rows: one for each (push, person, channel), moved only from where it is. */
export const describeDeliveries = (
  name: string,
  open: () => Promise<OpenedLedger>,
  scale: Scale = fullScale,
): unknown =>
  describe(`ledger, deliveries: ${name}`, () => {
    const bench = ledgerBench(open);

    const change = (row: Delivery, fields: Partial<DeliveryChange>): DeliveryChange => ({
      key: keyOf(row),
      from: [row.state],
      to: { at: at + 5 },
      ...fields,
    });

    it('keeps a row to the letter, null apart from absent', async () => {
      const lease = await bench.claimed();
      const rows = [
        makeDelivery({ ordinal: 1, channel: null, state: 'deferred', code: 'quiet-hours', dueAt: at + 123 }),
        makeDelivery({ ordinal: 2, channel: 'wechat', code: '微信–x', reasons: [0, 3, 17], noticeClass: 'suggestion' }),
        makeDelivery({ ordinal: 3, channel: 'sms', state: 'withheld', revision: 4, attempts: 2, reasons: [] }),
        makeDelivery({ ordinal: 4, channel: 'webPush', noticeClass: 'emergency', message: '信', holder: lease.batch }),
      ];
      await bench.one.ledger.insertDeliveries(lease, rows);
      expect(await bench.two.ledger.deliveriesOf('push-1', [1, 2, 3, 4])).toStrictEqual(rows);
    });

    it('inserts a row once and leaves the first as it is', async () => {
      const lease = await bench.claimed();
      await bench.one.ledger.insertDeliveries(lease, [makeDelivery({ code: 'first' })]);
      await Promise.all(
        [bench.one, bench.two].map(({ ledger }) =>
          ledger.insertDeliveries(lease, [makeDelivery({ code: 'second' }), makeDelivery({ ordinal: 2 })]),
        ),
      );
      await bench.one.ledger.insertDeliveries(lease, []);
      const rows = await bench.one.ledger.deliveriesOf('push-1', [1, 2]);
      expect(rows.map((row) => [row.ordinal, row.code])).toEqual([
        [1, 'first'],
        [2, null],
      ]);
    });

    it('keeps a row for each channel of a person, in order', async () => {
      const lease = await bench.claimed();
      const channels = ['sms', 'email', null, 'webPush'] as const;
      await bench.one.ledger.insertDeliveries(lease, [
        ...channels.map((channel) => makeDelivery({ ordinal: 2, channel })),
        makeDelivery({ ordinal: 1 }),
      ]);
      const rows = await bench.one.ledger.deliveriesOf('push-1', [2, 1, 2]);
      expect(rows.map((row) => [row.ordinal, row.channel])).toEqual([
        [1, 'email'],
        [2, null],
        [2, 'email'],
        [2, 'webPush'],
        [2, 'sms'],
      ]);
    });

    it('answers the rows of keys and leaves unknown ones out', async () => {
      const lease = await bench.claimed();
      await bench.one.ledger.insertDeliveries(lease, [makeDelivery(), makeDelivery({ ordinal: 2, channel: null })]);
      const known = [
        { push: 'push-1', ordinal: 2, channel: null },
        { push: 'push-1', ordinal: 1, channel: 'email' as const },
      ];
      const unknown = [
        { push: 'push-1', ordinal: 1, channel: null },
        { push: 'push-1', ordinal: 3, channel: 'email' as const },
        { push: "'; --", ordinal: 1, channel: 'email' as const },
        { push: '', ordinal: -1, channel: null },
      ];
      const rows = await bench.one.ledger.deliveries([...known, ...unknown]);
      expect(rows.map((row) => row.ordinal).sort()).toEqual([1, 2]);
      expect(await bench.one.ledger.deliveries([])).toEqual([]);
      expect(await bench.one.ledger.deliveriesOf('push-1', [])).toEqual([]);
      expect(await bench.one.ledger.deliveriesOf('unknown', [1])).toEqual([]);
    });

    it('changes a row only from where the caller says', async () => {
      const lease = await bench.claimed();
      const row = makeDelivery();
      await bench.one.ledger.insertDeliveries(lease, [row]);
      const changed = await bench.two.ledger.changeDeliveries(lease, [
        change(row, { from: ['deferred', 'sent'], to: { state: 'cancelled', at } }),
        change(makeDelivery({ ordinal: 9 }), { to: { state: 'cancelled', at } }),
        change(row, { to: { state: 'withheld', code: 'expired', reasons: [2], revision: 3, attempts: 1, at: at + 5 } }),
        change(row, { to: { state: 'cancelled', at } }),
      ]);
      expect(changed).toEqual([false, false, true, false]);
      expect(await bench.one.ledger.deliveriesOf('push-1', [1])).toStrictEqual([
        { ...row, state: 'withheld', code: 'expired', reasons: [2], revision: 3, attempts: 1, at: at + 5 },
      ]);
      expect(await bench.one.ledger.changeDeliveries(lease, [])).toEqual([]);
    });

    it('has one winner when two change a row at once', async () => {
      const lease = await bench.claimed({}, 100);
      const rows = range(1, Math.ceil(scale.races / 10)).map((ordinal) => makeDelivery({ ordinal }));
      await bench.one.ledger.insertDeliveries(lease, rows);
      for (const row of rows) {
        const won = await Promise.all([
          bench.one.ledger.changeDeliveries(lease, [change(row, { to: { state: 'cancelled', at } })]),
          bench.two.ledger.changeDeliveries(lease, [change(row, { to: { state: 'withheld', at } })]),
        ]);
        expect(won.flat().filter(Boolean)).toHaveLength(1);
      }
    });

    it('moves a row from no channel to the one that was chosen', async () => {
      const lease = await bench.claimed();
      const row = makeDelivery({ channel: null, state: 'deferred', dueAt: at + 1, reasons: [1, 2] });
      await bench.one.ledger.insertDeliveries(lease, [row]);
      const chosen = change(row, { to: { channel: 'sms', state: 'planned', dueAt: null, at: at + 9 } });
      expect(await bench.two.ledger.changeDeliveries(lease, [chosen])).toEqual([true]);
      expect(await bench.two.ledger.changeDeliveries(lease, [chosen])).toEqual([false]);
      expect(await bench.one.ledger.deliveriesOf('push-1', [1])).toStrictEqual([
        { ...row, channel: 'sms', state: 'planned', dueAt: null, at: at + 9 },
      ]);
    });

    it('lets go of the holder when the row is nobody’s any more', async () => {
      const lease = await bench.claimed();
      const rows = range(1, 3).map((ordinal) =>
        makeDelivery({ ordinal, state: 'deferred', dueAt: null, holder: lease.batch }),
      );
      await bench.one.ledger.insertDeliveries(lease, rows);
      const tos = [
        { code: 'kept', at },
        { dueAt: at + 5, at },
        { state: 'withheld' as const, at },
      ];
      await bench.one.ledger.changeDeliveries(
        lease,
        rows.map((row, n) => change(row, { to: tos[n] ?? { at } })),
      );
      const after = await bench.one.ledger.deliveriesOf('push-1', [1, 2, 3]);
      expect(after.map((row) => row.holder)).toEqual([lease.batch, null, null]);
    });

    it('writes nothing under a lease that is lost', async () => {
      const lease = await bench.claimed();
      const row = makeDelivery();
      await bench.one.ledger.insertDeliveries(lease, [row]);
      const [seen] = await bench.two.pushes.leases();
      if (seen) await bench.two.pushes.steal(seen, 'thief');
      const { ledger } = bench.one;
      await expect(ledger.insertDeliveries(lease, [makeDelivery({ ordinal: 2 })])).rejects.toThrow(LeaseLost);
      await expect(ledger.changeDeliveries(lease, [change(row, { to: { state: 'cancelled', at } })])).rejects.toThrow(
        LeaseLost,
      );
      await expect(ledger.insertDeliveries({ ...lease, batch: 'unknown' }, [row])).rejects.toThrow(LeaseLost);
      expect(await ledger.deliveriesOf('push-1', [1, 2])).toEqual([row]);
    });

    it('pages by person and channel, over ties, nothing twice and nothing missed', async () => {
      const lease = await bench.claimed();
      const rows = range(1, 5).flatMap((ordinal) => [
        makeDelivery({ ordinal, channel: 'email', state: 'failed' }),
        makeDelivery({ ordinal, channel: 'sms', state: ordinal % 2 ? 'sent' : 'planned' }),
      ]);
      await bench.one.ledger.insertDeliveries(lease, rows);
      await bench.claimed({ id: 'push-2', createdAt: at + 1 });
      const all = async (state: Parameters<typeof bench.one.ledger.page>[1], limit: number): Promise<Delivery[]> => {
        const seen: Delivery[] = [];
        for (let cursor: string | null = null; ; ) {
          const page: Awaited<ReturnType<typeof bench.one.ledger.page>> = await bench.one.ledger.page('push-1', state, {
            cursor,
            limit,
          });
          expect(page.rows.length).toBeLessThanOrEqual(limit);
          seen.push(...page.rows);
          if (page.next === null) return seen;
          cursor = page.next;
        }
      };
      for (const limit of [1, 3, 10, 11]) expect(await all(null, limit)).toEqual(rows);
      expect((await all('sent', 2)).map((row) => row.ordinal)).toEqual([1, 3, 5]);
      expect(await all('cancelled', 2)).toEqual([]);
      expect(await bench.one.ledger.page('unknown', null, { cursor: null, limit: 5 })).toEqual({
        rows: [],
        next: null,
      });
      await expect(bench.one.ledger.page('push-1', null, { cursor: 'x', limit: 5 })).rejects.toMatchObject({
        code: 'invalid',
      });
    });

    it('lists the rows of one person, newest push first', async () => {
      for (const [n, id] of ['zz', 'mm', 'aa'].entries()) {
        const lease = await bench.claimed({ id, createdAt: at + n });
        await bench.one.ledger.insertDeliveries(lease, [
          makeDelivery({ push: id, ordinal: 4 }),
          makeDelivery({ push: id, ordinal: 5 }),
        ]);
      }
      expect((await bench.two.ledger.ofPerson(4, 10)).map((row) => row.push)).toEqual(['aa', 'mm', 'zz']);
      expect((await bench.two.ledger.ofPerson(4, 2)).map((row) => row.push)).toEqual(['aa', 'mm']);
      expect(await bench.two.ledger.ofPerson(404, 2)).toEqual([]);
    });

    describe('counts', () => {
      it('counts each person once, by the best of their rows; without a row they are planned', async () => {
        const lease = await bench.claimed();
        await bench.one.ledger.insertDeliveries(lease, [
          makeDelivery({ ordinal: 1, channel: 'email', state: 'failed' }),
          makeDelivery({ ordinal: 1, channel: 'sms', state: 'sent' }),
          makeDelivery({ ordinal: 2, channel: 'email', state: 'failed' }),
          makeDelivery({ ordinal: 3, channel: null, state: 'withheld' }),
          makeDelivery({ ordinal: 5, state: 'sent' }),
        ]);
        const counts = { ...noCounts(), sent: 1, failed: 1, withheld: 1, planned: 1 };
        expect(await bench.two.ledger.count('push-1', [1, 2, 3, 4])).toEqual(counts);
        expect(await bench.two.ledger.count('push-1', [4, 2, 3, 1, 1])).toEqual(counts);
        expect(await bench.two.ledger.count('push-1', [])).toEqual(noCounts());
        expect(await bench.two.ledger.count('unknown', [1, 2])).toEqual({ ...noCounts(), planned: 2 });
      });

      it('ranks every pair of states as the table does', async () => {
        const lease = await bench.claimed();
        const pairs = deliveryStates.flatMap((a, n) => deliveryStates.slice(n).map((b) => [a, b] as const));
        await bench.one.ledger.insertDeliveries(
          lease,
          pairs.flatMap(([a, b], ordinal) => [
            makeDelivery({ ordinal, channel: 'email', state: b }),
            makeDelivery({ ordinal, channel: 'sms', state: a }),
          ]),
        );
        const expected = noCounts();
        for (const [, best] of pairs) expected[best] += 1;
        expect(await bench.one.ledger.count('push-1', range(0, pairs.length - 1))).toEqual(expected);
      });

      it('marks the batch of a row that changes under another batch', async () => {
        const { pushes, ledger } = bench.one;
        const lease = await bench.claimed();
        await pushes.insertBatches([makeBatch({ id: 'push-1:1', ordinals: [11, 12] })]);
        await ledger.insertDeliveries(lease, [makeDelivery({ ordinal: 11, state: 'deferred', dueAt: at })]);
        expect(await pushes.dirty(10)).toEqual([]);
        await ledger.gatherDue('due:1', at + 1, 10);
        // batch 1 is older than the gathered one
        await pushes.claim('t-batch', ['at-once']);
        const claim = await pushes.claim('t-due', ['at-once']);
        expect(claim?.batch.id).toBe('due:1');
        const [row] = await ledger.deliveriesOf('push-1', [11]);
        if (!row) throw new Error('the row was inserted');
        const due = { batch: 'due:1', token: 't-due' };
        await ledger.changeDeliveries(due, [change(row, { to: { state: 'withheld', at } })]);
        expect((await pushes.dirty(10)).map(({ batch }) => batch.id)).toEqual(['push-1:1']);
      });

      it('keeps the mark of a batch that changed while it was recounted', async () => {
        const { pushes, ledger } = bench.one;
        const lease = await bench.claimed();
        await ledger.insertDeliveries(lease, [makeDelivery(), makeDelivery({ ordinal: 2, state: 'failed' })]);
        await pushes.close(lease.batch, lease.token);
        const [first] = await pushes.dirty(10);
        await ledger.endOpen('push-1', 'cancelled', 'cancelled', at);
        await pushes.setCounts(lease.batch, noCounts(), first?.mark ?? null);
        const [second] = await pushes.dirty(10);
        expect(second?.batch.id).toBe(lease.batch);
        await pushes.setCounts(lease.batch, noCounts(), second?.mark ?? null);
        expect(await pushes.dirty(10)).toEqual([]);
        // whoever counted before all this clears nothing, however often the batch was clean meanwhile
        await ledger.redrive({ push: 'push-1' }, at);
        for (const late of [first, second]) await pushes.setCounts(lease.batch, noCounts(), late?.mark ?? null);
        expect(await pushes.dirty(10)).toHaveLength(1);
      });
    });

    it(`handles ${scale.many} people at once`, async () => {
      const lease = await bench.claimed(makePush(), scale.many);
      const people = range(1, scale.many);
      const { ledger } = bench.one;
      await ledger.insertDeliveries(
        lease,
        people.map((ordinal) => makeDelivery({ ordinal })),
      );
      const changed = await ledger.changeDeliveries(
        lease,
        people.map((ordinal) => change(makeDelivery({ ordinal }), { to: { state: 'withheld', code: 'expired', at } })),
      );
      expect(changed.every(Boolean) && changed.length).toBe(people.length);
      expect((await ledger.deliveriesOf('push-1', people)).map((row) => row.ordinal)).toEqual(people);
      expect(await ledger.deliveries(people.map((ordinal) => keyOf(makeDelivery({ ordinal }))))).toHaveLength(
        people.length,
      );
      expect(await ledger.count('push-1', people)).toEqual({ ...noCounts(), withheld: people.length });
    });
  });
