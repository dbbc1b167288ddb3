import { digestIdOf, isDigest } from '../../../src/fanout/digest/digest-id.ts';
import type { Delivery, Departure, Lease, Outcome } from '../../../src/fanout/ledger-store.ts';
import {
  at,
  makeAttempt,
  makeDelivery,
  makeDeparture,
  makeNotice,
  makeOutcome,
  range,
} from '../../helpers/fanout-builders.ts';
import { ledgerBench, type OpenedLedger } from './ledger-bench.ts';

const keyring = { mac: (_purpose: string, text: string, bytes: number) => Buffer.alloc(bytes, text.length) };
const digest = digestIdOf(keyring, { subscriber: 'p1', pace: 'daily', channel: 'email', slot: at });
const pushes = ['push-1', 'push-2'];

const kept = (push: string, ordinal: number, fields: Partial<Delivery> = {}): Delivery =>
  makeDelivery({ push, ordinal, state: 'digested', channel: null, code: 'daily-digest', dueAt: at, ...fields });
/** The row of a person in a push, leaving as part of the digest. */
const leaving = (push: string, ordinal = 1): Departure =>
  makeDeparture(ordinal, {
    key: { push, ordinal, channel: 'email' },
    notice: makeNotice({ item: `item of ${push}`, ordinal }),
    message: digest,
  });

/** What every ledger keeps about digests: rows that wait for one are gathered by person, and leave as one message, once. */
export const describeDigests = (name: string, open: () => Promise<OpenedLedger>): unknown =>
  describe(`ledger, digests: ${name}`, () => {
    const bench = ledgerBench(open);

    /** Rows of these people wait for a digest, in two pushes. */
    const wait = async (people: number[], fields: Partial<Delivery> = {}): Promise<void> => {
      for (const [n, id] of pushes.entries()) {
        const lease = await bench.claimed({ id, item: `item of ${id}`, createdAt: at + n });
        await bench.one.ledger.insertDeliveries(
          lease,
          people.map((ordinal) => kept(id, ordinal, fields)),
        );
        await bench.one.pushes.close(lease.batch, lease.token);
      }
    };
    const gather = async (id: string, token: string): Promise<Lease> => {
      expect(await bench.one.ledger.gatherDigests(id, at, 100)).not.toBeNull();
      expect((await bench.one.pushes.claim(token, ['digest']))?.batch.id).toBe(id);
      return { batch: id, token };
    };
    const takeNotices = async (lease: Lease): Promise<void> => {
      for (const push of pushes)
        await bench.one.ledger.takeNotices(
          lease,
          push,
          [{ ...makeNotice({ item: `item of ${push}` }), class: 'must' }],
          at,
        );
    };
    const choose = async (lease: Lease, push: string): Promise<boolean[]> =>
      bench.one.ledger.changeDeliveries(lease, [
        {
          key: { push, ordinal: 1, channel: null },
          from: ['digested'],
          to: { state: 'digested', channel: 'email', dueAt: null, at },
        },
      ]);
    /** One person's two rows, gathered, with their channel and notices. */
    const ready = async (): Promise<Lease> => {
      await wait([1]);
      const lease = await gather('due:1', 't1');
      await takeNotices(lease);
      for (const push of pushes) expect(await choose(lease, push)).toEqual([true]);
      return lease;
    };
    const outcomes = (fields: Partial<Outcome> = {}): Outcome[] =>
      pushes.map((push) => makeOutcome(leaving(push), fields));
    const states = async (): Promise<string[]> =>
      (await Promise.all(pushes.map((push) => bench.two.ledger.deliveriesOf(push, [1]))))
        .flat()
        .map((row) => row.state);

    it('names digests so that their ids say what they are', () => {
      expect(isDigest(digest)).toBe(true);
      expect(isDigest('message-1')).toBe(false);
      expect(isDigest(null)).toBe(false);
    });

    it('gathers every due row of a person, whatever the push, and holds them as they are', async () => {
      await wait([1, 2]);
      await bench.one.pushes.setState('push-2', ['running'], 'paused');
      expect(await bench.one.ledger.gatherDue('due:0', at, 100)).toBeNull();
      expect(await bench.one.ledger.gatherDigests('due:0', at - 1, 100)).toBeNull();
      expect(await bench.two.ledger.gatherDigests('due:1', at, 1)).toEqual({ rows: 2 });
      expect(await bench.two.ledger.gatherDigests('due:2', at, 1)).toEqual({ rows: 2 });
      expect(await bench.one.ledger.gatherDigests('due:3', at, 1)).toBeNull();
      const claim = await bench.one.pushes.claim('t', ['digest']);
      expect(claim?.batch).toMatchObject({ kind: 'due', push: null, lane: 'digest' });
      expect(new Set(claim?.batch.rows.map((row) => row.push))).toEqual(new Set(pushes));
      expect(new Set(claim?.batch.rows.map((row) => row.ordinal)).size).toBe(1);
      const rows = await bench.one.ledger.deliveriesOf('push-1', [1, 2]);
      expect(rows.map((row) => [row.state, row.dueAt])).toEqual([
        ['digested', null],
        ['digested', null],
      ]);
      expect(new Set(rows.map((row) => row.holder))).toEqual(new Set(['due:1', 'due:2']));
    });

    it('makes what waits for the moment of a digest due at once, of the people named', async () => {
      await wait([1, 2]);
      const lease = await bench.claimed({ id: 'push-3', item: 'item of push-3', createdAt: at + 2 });
      await bench.one.ledger.insertDeliveries(lease, [
        kept('push-3', 1, { code: 'weekly-digest', dueAt: at + 5 }),
        kept('push-3', 3, { code: 'quiet-hours', dueAt: at + 5 }),
        kept('push-3', 4, { state: 'deferred', code: 'daily-digest', dueAt: at + 5 }),
      ]);
      await bench.one.pushes.close(lease.batch, lease.token);
      const dueAt = async (push: string) =>
        Object.fromEntries(
          (await bench.one.ledger.deliveriesOf(push, [1, 2, 3, 4])).map((row) => [row.ordinal, row.dueAt]),
        );
      // the moment that has come is left alone
      expect(await bench.two.ledger.hastenDigests([1, 3, 4, 404], at)).toBe(1);
      expect(await dueAt('push-1')).toEqual({ 1: at, 2: at });
      expect(await dueAt('push-3')).toEqual({ 1: at, 3: at + 5, 4: at + 5 });
      expect(await bench.two.ledger.hastenDigests([1, 1], at - 7)).toBe(3);
      expect(await dueAt('push-1')).toEqual({ 1: at - 7, 2: at });
      expect(await bench.one.ledger.gatherDigests('due:1', at - 7, 100)).toEqual({ rows: 3 });
      expect(await bench.one.ledger.hastenDigests([1], at - 9)).toBe(0);
      expect(await bench.one.ledger.hastenDigests([], at - 9)).toBe(0);
      expect(await bench.one.ledger.hastenDigests(range(1, 40_000), at - 9)).toBe(2);
    });

    it('gives each row to one of several gatherers', async () => {
      await wait(range(1, 20));
      const ids = range(1, 6).map((n) => `due:${n}`);
      await Promise.all(ids.map((id, n) => (n % 2 ? bench.one : bench.two).ledger.gatherDigests(id, at, 7)));
      while (await bench.one.ledger.gatherDigests(`due:last-${ids.length}`, at, 100))
        ids.push(`due:last-${ids.length}`);
      const held: string[] = [];
      for (
        let claim = await bench.one.pushes.claim('t', ['digest']);
        claim;
        claim = await bench.one.pushes.claim('t', ['digest'])
      )
        held.push(...claim.batch.rows.map((row) => `${row.push} ${row.ordinal}`));
      expect(new Set(held).size).toBe(40);
      expect(held).toHaveLength(40);
    });

    it('lets rows of several pushes leave as one message, and tells all their notices', async () => {
      const lease = await ready();
      const { ledger } = bench.one;
      expect(
        await ledger.depart(
          lease,
          pushes.map((push) => leaving(push)),
          at,
        ),
      ).toEqual([true, true]);
      await ledger.settle(lease, outcomes());
      expect(await states()).toEqual(['sent', 'sent']);
      expect(await bench.two.ledger.message(digest)).toMatchObject({
        ...{ kind: 'digest', push: null, ordinal: 1, channel: 'email', holder: 'due:1' },
        attempts: [makeAttempt()],
      });
      expect((await bench.two.ledger.rowsOfDigest(digest)).map((row) => row.push).sort()).toEqual(pushes);
      expect(await ledger.rowsOfDigest('unknown')).toEqual([]);
      expect(await ledger.toldOf('item of push-1', 1)).toEqual([{ ordinal: 1, channel: 'email' }]);
      expect(await ledger.receipt(digest, 'delivered', makeAttempt({ at: at + 9 }))).toBe(true);
      expect(await states()).toEqual(['delivered', 'delivered']);
    });

    it('lets no second batch send the same digest, unless the first has let it go', async () => {
      const first = await ready();
      const { ledger } = bench.one;
      expect(await ledger.depart(first, [leaving('push-1')], at)).toEqual([true]);
      // the other row turns up in another batch, as after a pause
      const key = { push: 'push-2', ordinal: 1, channel: 'email' as const };
      await ledger.changeDeliveries(first, [{ key, from: ['digested'], to: { dueAt: at, at } }]);
      const second = await gather('due:2', 't2');
      expect(await bench.two.ledger.depart(second, [leaving('push-2')], at)).toEqual([false]);
      const to = { state: 'digested' as const, code: 'retry', dueAt: at + 5, attempts: 1 };
      await ledger.settle(first, [makeOutcome(leaving('push-1'), { to, attempt: makeAttempt({ ok: false }) })]);
      expect(await states()).toEqual(['digested', 'digested']);
      expect(await bench.two.ledger.depart(second, [leaving('push-2')], at)).toEqual([true]);
    });

    it('lets a resumed batch send its own again', async () => {
      const lease = await ready();
      const departures = pushes.map((push) => leaving(push));
      expect(await bench.one.ledger.depart(lease, departures, at)).toEqual([true, true]);
      expect(await bench.two.ledger.depart(lease, departures, at)).toEqual([true, true]);
    });

    it('releases the notices of what waits for its next digest', async () => {
      const lease = await ready();
      const { ledger } = bench.one;
      await ledger.depart(
        lease,
        pushes.map((push) => leaving(push)),
        at,
      );
      await ledger.settle(lease, outcomes({ to: { state: 'digested', code: 'retry', dueAt: at + 5, attempts: 1 } }));
      const rival = await bench.claimed({ id: 'push-3', item: 'item of push-1', createdAt: at + 5 });
      const asked = [{ ...makeNotice({ item: 'item of push-1' }), class: 'suggestion' as const }];
      expect(await ledger.takeNotices(rival, 'push-3', asked, at)).toEqual([{ outcome: 'own', over: null }]);
    });

    it('keeps a receipt that comes first for all its rows', async () => {
      const lease = await ready();
      const { ledger } = bench.one;
      await ledger.depart(
        lease,
        pushes.map((push) => leaving(push)),
        at,
      );
      expect(await bench.two.ledger.receipt(digest, 'delivered', makeAttempt({ at: at + 1 }))).toBe(true);
      expect(await states()).toEqual(['sending', 'sending']);
      await ledger.settle(lease, outcomes());
      expect(await states()).toEqual(['delivered', 'delivered']);
    });

    it('redrives what failed as a digest into the next one', async () => {
      const lease = await ready();
      const { ledger } = bench.one;
      await ledger.depart(
        lease,
        pushes.map((push) => leaving(push)),
        at,
      );
      await ledger.settle(lease, outcomes({ to: { state: 'failed', code: 'refused', dueAt: null, attempts: 1 } }));
      expect(await ledger.redrive({ messages: [digest] }, at)).toBe(2);
      expect(await states()).toEqual(['digested', 'digested']);
      expect(await ledger.gatherDigests('due:9', at, 10)).toEqual({ rows: 2 });
    });
  });
