import { realEdges } from '../../src/edges.ts';
import type { Delivery, Lease, LedgerStore } from '../../src/fanout/ledger-store.ts';
import type { MongoDatabase } from '../../src/storage/mongo/connection.ts';
import { mongoLedgerStore } from '../../src/storage/mongo/ledger-store.ts';
import { mongoPushStore } from '../../src/storage/mongo/push-store.ts';
import { Crash, crashingAfter } from '../helpers/crashing-mongo.ts';
import {
  at,
  makeAttempt,
  makeBatch,
  makeDelivery,
  makeDeparture,
  makeNotice,
  makeOutcome,
  makePush,
} from '../helpers/fanout-builders.ts';
import { describeWithMongo, openMongoHandles } from '../helpers/open-mongo.ts';

type Bench = { db: MongoDatabase['db']; ledger: LedgerStore; lease: Lease };

const must = { ...makeNotice(), class: 'must' as const };

/** A claimed batch of person 1 in `push-1`, on a database of its own. */
const openBench = async (): Promise<Bench & { close: () => Promise<void> }> => {
  const { handles, close } = await openMongoHandles(1);
  const [db] = handles;
  if (!db) throw new Error('a handle was asked for');
  const pushes = mongoPushStore(db);
  await pushes.insert(makePush());
  await pushes.insertBatches([makeBatch()]);
  await pushes.claim('token', ['at-once']);
  return { db, ledger: mongoLedgerStore(db, realEdges), lease: { batch: 'push-1:0', token: 'token' }, close };
};

/**
 * Kills `verb` before each of its writes in turn, each time on a new database, and runs `mended` after it. Answers how many
 * kills there were; the verb must come through at last.
 */
const killEverywhere = async (
  arrange: (bench: Bench) => Promise<unknown>,
  verb: (ledger: LedgerStore, bench: Bench) => Promise<unknown>,
  mended: (bench: Bench, killed: boolean) => Promise<void>,
): Promise<number> => {
  for (let survived = 0; ; survived += 1) {
    const bench = await openBench();
    try {
      await arrange(bench);
      let killed = false;
      try {
        await verb(mongoLedgerStore(crashingAfter(bench.db, survived), realEdges), bench);
      } catch (error) {
        if (!(error instanceof Crash)) throw error;
        killed = true;
      }
      await mended(bench, killed);
      if (!killed) return survived;
    } finally {
      await bench.close();
    }
  }
};

describeWithMongo('crashes on MongoDB', () => {
  const ready = async ({ ledger, lease }: Bench): Promise<void> => {
    await ledger.takeNotices(lease, 'push-1', [must], at);
    await ledger.insertDeliveries(lease, [makeDelivery()]);
  };
  const inFlight = async (bench: Bench): Promise<void> => {
    await ready(bench);
    await bench.ledger.depart(bench.lease, [makeDeparture(1)], at);
  };
  const row = async ({ ledger }: Bench): Promise<Delivery | undefined> => (await ledger.deliveriesOf('push-1', [1]))[0];

  /** What the runner does with a row that is not settled: asks for the notice, and if it is its own, sends and settles. */
  const runAgain = async ({ ledger, lease }: Bench, outcome = makeOutcome(makeDeparture(1))): Promise<void> => {
    const [taken] = await ledger.takeNotices(lease, 'push-1', [must], at);
    if (taken?.outcome !== 'own') return;
    if ((await ledger.depart(lease, [makeDeparture(1)], at))[0]) await ledger.settle(lease, [outcome]);
  };

  it('departing: the row leaves at last, and its notice with it', async () => {
    const kills = await killEverywhere(
      ready,
      (ledger, { lease }) => ledger.depart(lease, [makeDeparture(1)], at),
      async (bench) => {
        await runAgain(bench);
        expect(await row(bench)).toMatchObject({ state: 'sent', holder: null });
        expect(await bench.ledger.toldOf('item-住房', 1)).toEqual([{ ordinal: 1, channel: 'email' }]);
        expect((await bench.ledger.message('message-push-1-1-email'))?.attempts).toHaveLength(1);
      },
    );
    expect(kills).toBeGreaterThanOrEqual(3);
  });

  it('departing: a push that ends meanwhile leaves no notice behind', async () => {
    await killEverywhere(
      ready,
      (ledger, { lease }) => ledger.depart(lease, [makeDeparture(1)], at),
      async (bench, killed) => {
        if (!killed) return;
        await bench.ledger.endOpen('push-1', 'cancelled', 'cancelled', at);
        expect((await row(bench))?.state).toBe('cancelled');
        await expectNotice(bench, 'own');
      },
    );
  });

  it('departing: a row that is withheld then leaves no notice behind', async () => {
    await killEverywhere(
      ready,
      (ledger, { lease }) => ledger.depart(lease, [makeDeparture(1)], at),
      async (bench, killed) => {
        if (!killed) return;
        const key = { push: 'push-1', ordinal: 1, channel: 'email' as const };
        const to = { state: 'withheld' as const, code: 'opted-out', at };
        expect(await bench.ledger.changeDeliveries(bench.lease, [{ key, from: ['planned'], to }])).toEqual([true]);
        await bench.ledger.releaseNotices('push-1', [makeNotice()]);
        await expectNotice(bench, 'own');
      },
    );
  });

  it('departing: a row whose channel has changed since leaves all the same', async () => {
    await killEverywhere(
      ready,
      (ledger, { lease }) => ledger.depart(lease, [makeDeparture(1)], at),
      async ({ ledger, lease }, killed) => {
        if (!killed) return;
        const key = { push: 'push-1', ordinal: 1, channel: 'email' as const };
        await ledger.changeDeliveries(lease, [{ key, from: ['planned'], to: { channel: 'sms', at } }]);
        const bySms = makeDeparture(1, { key: { ...key, channel: 'sms' } });
        expect(await ledger.depart(lease, [bySms], at)).toEqual([true]);
      },
    );
  });

  /** What another push is answered when it asks for the notice of person 1. */
  const expectNotice = async ({ db, ledger }: Bench, outcome: 'own' | 'held' | 'told'): Promise<void> => {
    const pushes = mongoPushStore(db);
    await pushes.insert(makePush({ id: 'push-2', lane: 'bulk', createdAt: at + 1 }));
    await pushes.insertBatches([makeBatch({ id: 'push-2:0', push: 'push-2', lane: 'bulk' })]);
    await pushes.claim('other', ['bulk']);
    const asked = await ledger.takeNotices({ batch: 'push-2:0', token: 'other' }, 'push-2', [must], at);
    expect(asked.map((one) => one.outcome)).toEqual([outcome]);
  };

  it('settling what was sent: told once, sent once in the ledger', async () => {
    const kills = await killEverywhere(
      inFlight,
      (ledger, { lease }) => ledger.settle(lease, [makeOutcome(makeDeparture(1))]),
      async (bench) => {
        await runAgain(bench);
        expect(await row(bench)).toMatchObject({ state: 'sent', attempts: 1, holder: null });
        expect((await bench.ledger.message('message-push-1-1-email'))?.attempts).toHaveLength(1);
        await expectNotice(bench, 'told');
      },
    );
    expect(kills).toBeGreaterThanOrEqual(3);
  });

  const failed = makeOutcome(makeDeparture(1), {
    attempt: makeAttempt({ ok: false, response: '550' }),
    to: { state: 'failed', code: 'no-such-user', dueAt: null, attempts: 1 },
  });

  it('settling what failed for good: the notice is free for others', async () => {
    await killEverywhere(
      inFlight,
      (ledger, { lease }) => ledger.settle(lease, [failed]),
      async (bench, killed) => {
        if (killed) await runAgain(bench, failed);
        expect(await row(bench)).toMatchObject({ state: 'failed' });
        await expectNotice(bench, 'own');
      },
    );
  });

  it('settling what failed with a successor: one successor, and the notice stays', async () => {
    const next = makeDelivery({ channel: 'sms', state: 'deferred', code: 'retry', dueAt: at });
    await killEverywhere(
      inFlight,
      (ledger, { lease }) => ledger.settle(lease, [{ ...failed, next }]),
      async (bench, killed) => {
        if (killed) await runAgain(bench, { ...failed, next });
        const rows = await bench.ledger.deliveriesOf('push-1', [1]);
        expect(rows.map((one) => [one.channel, one.state])).toEqual([
          ['email', 'failed'],
          ['sms', 'deferred'],
        ]);
        await expectNotice(bench, 'held');
      },
    );
  });

  it('choosing a channel: one row, at the channel, with the last decision', async () => {
    const parked = makeDelivery({ channel: null, state: 'deferred', dueAt: at });
    const key = { push: 'push-1', ordinal: 1, channel: null };
    await killEverywhere(
      ({ ledger, lease }) => ledger.insertDeliveries(lease, [parked]),
      (ledger, { lease }) =>
        ledger.changeDeliveries(lease, [
          { key, from: ['deferred'], to: { channel: 'email', state: 'planned', dueAt: null, at } },
        ]),
      async (bench, killed) => {
        const again = { channel: 'email', state: 'planned', dueAt: null, revision: 2, at: at + 1 } as const;
        if (killed)
          expect(await bench.ledger.changeDeliveries(bench.lease, [{ key, from: ['deferred'], to: again }])).toEqual([
            true,
          ]);
        const rows = await bench.ledger.deliveriesOf('push-1', [1]);
        expect(rows).toMatchObject([{ channel: 'email', state: 'planned', revision: killed ? 2 : 0 }]);
      },
    );
  });

  it('taking a notice over: the loser’s row is withheld when it is taken again', async () => {
    const claimBoth = async (bench: Bench): Promise<void> => {
      await ready(bench);
      const pushes = mongoPushStore(bench.db);
      await pushes.insert(makePush({ id: 'push-2', lane: 'emergency', createdAt: at + 1 }));
      await pushes.insertBatches([makeBatch({ id: 'push-2:0', push: 'push-2', lane: 'emergency' })]);
      await pushes.claim('urgent', ['emergency']);
    };
    const urgent = { ...must, class: 'emergency' as const };
    const take = (ledger: LedgerStore) =>
      ledger.takeNotices({ batch: 'push-2:0', token: 'urgent' }, 'push-2', [urgent], at);
    const kills = await killEverywhere(claimBoth, take, async (bench) => {
      expect(await take(bench.ledger)).toMatchObject([{ outcome: 'own' }]);
      expect(await row(bench)).toMatchObject({ state: 'withheld', code: 'taken-over' });
      expect(await mongoPushStore(bench.db).batchesOf('push-1')).toMatchObject([{ dirty: true }]);
    });
    expect(kills).toBeGreaterThanOrEqual(4);
  });

  it('gathering: what a dead gatherer held is due again', async () => {
    await killEverywhere(
      ({ ledger, lease }) => ledger.insertDeliveries(lease, [makeDelivery({ state: 'deferred', dueAt: at })]),
      (ledger) => ledger.gatherDue('due:1', at, 10),
      async (bench, killed) => {
        const later = at + 60_000;
        expect(await bench.ledger.gatherDue('due:2', later, 10)).toEqual(killed ? { lane: 'at-once', rows: 1 } : null);
        const claim = await mongoPushStore(bench.db).claim('t', ['at-once']);
        expect((await row(bench))?.holder).toBe(claim?.batch.id);
      },
    );
  });

  describe('of a digest', () => {
    const digest = makeDeparture(1, { message: `digest-${'x'.repeat(22)}` });
    /** The row waits in a gathered batch, with its channel and its notice. */
    const gathered = async ({ db, ledger, lease }: Bench): Promise<Lease> => {
      await ledger.insertDeliveries(lease, [makeDelivery({ state: 'digested', code: 'daily-digest', dueAt: at })]);
      await ledger.gatherDigests('due:1', at, 10);
      await mongoPushStore(db).claim('t', ['digest']);
      const own = { batch: 'due:1', token: 't' };
      await ledger.takeNotices(own, 'push-1', [must], at);
      return own;
    };
    const own: Lease = { batch: 'due:1', token: 't' };

    it('departing: it leaves at last under its batch, and under no other', async () => {
      const kills = await killEverywhere(
        gathered,
        (ledger) => ledger.depart(own, [digest], at),
        async ({ ledger, ...bench }) => {
          await ledger.takeNotices(own, 'push-1', [must], at);
          expect(await ledger.depart(own, [digest], at)).toEqual([true]);
          await ledger.settle(own, [makeOutcome(digest)]);
          expect(await row({ ledger, ...bench })).toMatchObject({ state: 'sent', message: digest.message });
          expect(await ledger.message(digest.message)).toMatchObject({ holder: 'due:1', attempts: [makeAttempt()] });
          expect(await ledger.rowsOfDigest(digest.message)).toHaveLength(1);
        },
      );
      expect(kills).toBeGreaterThanOrEqual(4);
    });

    it('settling what is to be tried again: it is let go, and waits without a notice', async () => {
      const to = { state: 'digested' as const, code: 'retry', dueAt: at + 5, attempts: 1 };
      await killEverywhere(
        async (bench) => {
          await gathered(bench);
          await bench.ledger.depart(own, [digest], at);
        },
        (ledger) => ledger.settle(own, [makeOutcome(digest, { to })]),
        async (bench) => {
          // the holder comes back to what is still in flight
          if ((await row(bench))?.state === 'sending') {
            await bench.ledger.takeNotices(own, 'push-1', [must], at);
            await bench.ledger.depart(own, [digest], at);
            await bench.ledger.settle(own, [makeOutcome(digest, { to })]);
          }
          expect(await row(bench)).toMatchObject({ state: 'digested', dueAt: at + 5, holder: null });
          await expectNotice(bench, 'own');
        },
      );
    });

    it('gathering: what a dead gatherer held is due again', async () => {
      await killEverywhere(
        async ({ ledger, lease }) =>
          ledger.insertDeliveries(lease, [makeDelivery({ state: 'digested', code: 'daily-digest', dueAt: at })]),
        (ledger) => ledger.gatherDigests('due:1', at, 10),
        async ({ ledger }, killed) => {
          const again = await ledger.gatherDigests('due:2', at + 120_000, 10);
          expect(again).toEqual(killed ? { rows: 1 } : null);
        },
      );
    });
  });

  it('ending and redriving: a repetition finishes', async () => {
    await killEverywhere(
      ready,
      (ledger) => ledger.endOpen('push-1', 'withheld', 'superseded', at),
      async (bench) => {
        await bench.ledger.endOpen('push-1', 'withheld', 'superseded', at);
        expect(await row(bench)).toMatchObject({ state: 'withheld', code: 'superseded' });
        await expectNotice(bench, 'own');
      },
    );
    await killEverywhere(
      ({ ledger, lease }) => ledger.insertDeliveries(lease, [makeDelivery({ state: 'failed' })]),
      (ledger) => ledger.redrive({ push: 'push-1' }, at),
      async (bench) => {
        await bench.ledger.redrive({ push: 'push-1' }, at);
        expect(await row(bench)).toMatchObject({ state: 'deferred', code: 'redriven' });
      },
    );
  });

  it('receipts and merges: a repetition finishes', async () => {
    const receipt = makeAttempt({ at: at + 9, response: 'DELIVRD' });
    const sent = async (bench: Bench): Promise<void> => {
      await inFlight(bench);
      await bench.ledger.settle(bench.lease, [makeOutcome(makeDeparture(1))]);
    };
    await killEverywhere(
      sent,
      (ledger) => ledger.receipt('message-push-1-1-email', 'delivered', receipt),
      async (bench, killed) => {
        if (killed) await bench.ledger.receipt('message-push-1-1-email', 'delivered', receipt);
        expect((await row(bench))?.state).toBe('delivered');
        expect((await bench.ledger.message('message-push-1-1-email'))?.attempts.at(-1)).toEqual(receipt);
      },
    );
    const recorded = async (bench: Bench): Promise<void> => {
      await inFlight(bench);
      await bench.ledger.receipt('message-push-1-1-email', 'delivered', receipt);
    };
    await killEverywhere(
      recorded,
      (ledger, { lease }) => ledger.settle(lease, [makeOutcome(makeDeparture(1))]),
      async (bench) => {
        await runAgain(bench);
        expect(await row(bench)).toMatchObject({ state: 'delivered', attempts: 1, holder: null });
        await expectNotice(bench, 'told');
      },
    );
    await killEverywhere(
      sent,
      (ledger) => ledger.moveNotices(1, 7),
      async (bench) => {
        await bench.ledger.moveNotices(1, 7);
        expect((await bench.ledger.toldOf('item-住房', 1)).map((one) => one.ordinal)).toEqual([1, 7]);
      },
    );
  });
});
