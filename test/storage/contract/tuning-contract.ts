import type { PublishedArms } from '../../../src/rules/arms.ts';
import type { Change, Closing, Exposure, Tally } from '../../../src/tuning/tuning.ts';
import type { TuningStore } from '../../../src/tuning/tuning-store.ts';
import { eachPair, type Pair } from './pair.ts';

const at = Date.parse('2026-03-01T08:30:00.123Z');
const dayMs = 86_400_000;
const whole = { cursor: null, limit: 100 };

const makeArms = (fields: Partial<PublishedArms> = {}): PublishedArms => ({
  rule: 'rule-1',
  version: 2,
  day: '2026-03-02',
  arms: {
    threshold: [
      { value: 0.25, probability: 0.02 },
      { value: 0.4, probability: 0.98 },
    ],
    hour: [
      { value: 'at-once', probability: 1 / 3 },
      { value: 'preferred', probability: 2 / 3 },
    ],
  },
  at,
  ...fields,
});

const makeExposure = (fields: Partial<Exposure> = {}): Exposure => ({
  push: 'push-1',
  ordinal: 1,
  rule: 'rule-1',
  version: 2,
  lineage: 'line',
  day: '2026-03-02',
  level: 0.55,
  drawn: { threshold: 0.4, hour: 'at-once' },
  propensity: 0.98 / 3,
  pass: 1,
  others: 0,
  withheld: false,
  at,
  ...fields,
});

const makeClosing = (fields: Partial<Closing> = {}): Closing => ({
  push: 'push-1',
  ordinal: 1,
  channel: 'email',
  sentAt: at + 1_000,
  reward: 1,
  unwanted: false,
  ...fields,
});

const makeTally = (fields: Partial<Tally> = {}): Tally => ({
  rule: 'rule-1',
  lineage: 'line',
  day: 20_513,
  parameter: 'threshold',
  arm: '0.4',
  channel: 'email',
  eligible: 10,
  sent: 5,
  useful: 2,
  unwanted: 1,
  ...fields,
});

const makeChange = (fields: Partial<Change> = {}): Change => ({
  id: 'change-1',
  rule: 'rule-1',
  lineage: 'line',
  parameter: 'threshold',
  from: 0.4,
  to: 0.55,
  evidence: {
    kind: 'raise',
    above: { share: 0.71, half: 0.04, n: 620 },
    below: { share: 0.12, half: 0.03, n: 620 },
    n: 1_240,
    probability: 0.99,
  },
  at,
  state: 'proposed',
  fromVersion: 2,
  toVersion: null,
  by: null,
  ...fields,
});

const byKey = (a: { arm: string }, b: { arm: string }): number => (a.arm < b.arm ? -1 : 1);

/** What every store of tuning keeps; it runs over each storage. */
export const describeTuningStore = (name: string, open: () => Promise<Pair<TuningStore>>): unknown =>
  describe(`tuning store: ${name}`, () => {
    let store: TuningStore;
    let other: TuningStore;
    eachPair(open, (stores) => {
      [store, other] = stores;
    });

    describe('arms', () => {
      it('are kept as they were first published for a version and day', async () => {
        await store.publishArms([makeArms()]);
        await other.publishArms([makeArms({ arms: {} }), makeArms({ version: 3, arms: {} })]);
        const ids = [
          { rule: 'rule-1', version: 2 },
          { rule: 'rule-1', version: 3 },
          { rule: 'unknown', version: 1 },
        ];
        const found = await store.armsOf(ids, '2026-03-02', '2026-03-02');
        expect(found.sort((a, b) => a.version - b.version)).toEqual([makeArms(), makeArms({ version: 3, arms: {} })]);
        expect(await store.armsOf([], '2026-03-02', '2026-03-02')).toEqual([]);
      });

      it('are the newest of the days asked for', async () => {
        await store.publishArms(['2026-02-28', '2026-03-01', '2026-03-05'].map((day) => makeArms({ day })));
        const ids = [{ rule: 'rule-1', version: 2 }];
        expect(await store.armsOf(ids, '2026-02-27', '2026-03-03')).toMatchObject([{ day: '2026-03-01' }]);
        expect(await store.armsOf(ids, '2026-03-02', '2026-03-04')).toEqual([]);
      });
    });

    describe('exposures', () => {
      it('are open until they are closed, and the first of a push and person stays', async () => {
        const withheld = makeExposure({ ordinal: 2, level: null, drawn: {}, withheld: true });
        await store.expose([makeExposure(), withheld]);
        await other.expose([makeExposure({ propensity: 0.5 })]);
        await store.expose([]);
        expect((await store.openExposures(at + 1, whole)).rows).toEqual([makeExposure(), withheld]);
        expect((await store.openExposures(at, whole)).rows).toEqual([]);

        await store.closeExposures([makeClosing(), makeClosing({ ordinal: 77 })]);
        await other.closeExposures([makeClosing({ reward: 0, unwanted: true })]);
        expect((await store.openExposures(at + 1, whole)).rows).toEqual([withheld]);
        const closed = await store.closedExposures({ rule: null, from: at, to: at + 1 }, whole);
        expect(closed).toEqual({ rows: [{ ...makeExposure(), ...makeClosing() }], next: null });
      });

      it('are forgotten where nothing ever left', async () => {
        await store.expose([makeExposure(), makeExposure({ ordinal: 2 })]);
        await store.dropExposures([makeExposure(), makeExposure({ push: 'unknown' })]);
        expect((await store.openExposures(at + 1, whole)).rows.map(({ ordinal }) => ordinal)).toEqual([2]);
      });

      it('are paged over ties, open ones while they are being closed', async () => {
        const all = ['a', 'b'].flatMap((push) => [1, 2, 10].map((ordinal) => makeExposure({ push, ordinal })));
        await store.expose(all);
        const seen: string[] = [];
        let cursor: string | null = null;
        do {
          const page: { rows: Exposure[]; next: string | null } = await store.openExposures(at + 1, {
            cursor,
            limit: 2,
          });
          seen.push(...page.rows.map(({ push, ordinal }) => `${push} ${ordinal}`));
          await store.closeExposures(page.rows.map(({ push, ordinal }) => makeClosing({ push, ordinal })));
          cursor = page.next;
        } while (cursor !== null);
        expect(seen).toEqual(['a 1', 'a 2', 'a 10', 'b 1', 'b 2', 'b 10']);
        const closed: string[] = [];
        do {
          const page: Awaited<ReturnType<TuningStore['closedExposures']>> = await store.closedExposures(
            { rule: null, from: at, to: at + 1 },
            { cursor, limit: 4 },
          );
          closed.push(...page.rows.map(({ push, ordinal }) => `${push} ${ordinal}`));
          cursor = page.next;
        } while (cursor !== null);
        expect(closed).toEqual(seen);
        await expect(store.openExposures(at, { cursor: 'x', limit: 1 })).rejects.toMatchObject({ code: 'invalid' });
      });

      it('are found by rule and time', async () => {
        await store.expose([
          makeExposure(),
          makeExposure({ ordinal: 2, rule: 'rule-2' }),
          makeExposure({ ordinal: 3, at: at + dayMs }),
        ]);
        await store.closeExposures([1, 2, 3].map((ordinal) => makeClosing({ ordinal })));
        const of = async (rule: string | null, from: number, to: number): Promise<number[]> =>
          (await store.closedExposures({ rule, from, to }, whole)).rows.map(({ ordinal }) => ordinal);
        expect(await of('rule-1', at, at + 2 * dayMs)).toEqual([1, 3]);
        expect(await of(null, at, at + dayMs)).toEqual([1, 2]);
        expect(await of(null, at + 1, at + dayMs + 1)).toEqual([3]);
      });

      it('come by the hundred', async () => {
        await store.expose(Array.from({ length: 250 }, (_, ordinal) => makeExposure({ ordinal })));
        await store.closeExposures(Array.from({ length: 250 }, (_, ordinal) => makeClosing({ ordinal })));
        const { rows, next } = await store.closedExposures(
          { rule: 'rule-1', from: 0, to: at + 1 },
          { cursor: null, limit: 249 },
        );
        expect([rows.length, next === null]).toEqual([249, false]);
      });
    });

    describe('tallies', () => {
      it('take the place of those of their days, as often as it is done', async () => {
        await store.putTallies(20_513, 20_514, [makeTally(), makeTally({ arm: '0.55' }), makeTally({ day: 20_514 })]);
        await store.putTallies(20_512, 20_513, [makeTally({ arm: '0.55', channel: null, useful: 4 })]);
        await other.putTallies(20_512, 20_513, [makeTally({ arm: '0.55', channel: null, useful: 4 })]);
        const found = await store.talliesOf('rule-1', 'line', 20_513);
        expect(found.sort(byKey)).toEqual([
          makeTally({ day: 20_514 }),
          makeTally({ arm: '0.55', channel: null, useful: 4 }),
        ]);
        expect(await store.talliesOf('rule-1', 'line', 20_515)).toEqual([]);
        expect(await store.talliesOf('rule-1', 'other', 0)).toEqual([]);
      });
    });

    describe('changes', () => {
      it('are proposed once, and get newer evidence while they are only proposed', async () => {
        expect(await store.propose(makeChange())).toBe(true);
        expect(await other.propose(makeChange({ at: at + 1, fromVersion: 3 }))).toBe(false);
        expect(await store.change('change-1')).toEqual(makeChange({ at: at + 1, fromVersion: 3 }));
        expect(await store.decide('change-1', 'proposed', { state: 'applied', by: '职员', toVersion: 4 })).toBe(true);
        expect(await other.decide('change-1', 'proposed', { state: 'applied', by: 'late', toVersion: 5 })).toBe(false);
        expect(await store.propose(makeChange({ at: at + 2 }))).toBe(false);
        expect(await store.change('change-1')).toEqual(
          makeChange({ at: at + 1, fromVersion: 3, state: 'applied', by: '职员', toVersion: 4 }),
        );
        expect(await store.change('unknown')).toBeNull();
        expect(await store.decide('unknown', 'proposed', { state: 'applied', by: null })).toBe(false);
      });

      it('are listed newest first, over ties, and by rule', async () => {
        for (const [id, rule, later] of [
          ['a', 'rule-1', 0],
          ['b', 'rule-2', 0],
          ['c', 'rule-1', 5],
        ] as const)
          await store.propose(makeChange({ id, rule, at: at + later }));
        const first = await store.changes({ cursor: null, limit: 2 });
        expect(first.rows.map(({ id }) => id)).toEqual(['c', 'b']);
        const second = await store.changes({ cursor: first.next, limit: 2 });
        expect([second.rows.map(({ id }) => id), second.next]).toEqual([['a'], null]);
        expect((await store.changesOf('rule-1', 10)).map(({ id }) => id)).toEqual(['c', 'a']);
        await expect(store.changes({ cursor: 'x', limit: 1 })).rejects.toMatchObject({ code: 'invalid' });
      });
    });

    it('forgets what is old, but no change', async () => {
      await store.publishArms([makeArms(), makeArms({ version: 3, at: at + dayMs })]);
      await store.expose([makeExposure(), makeExposure({ ordinal: 2, at: at + dayMs })]);
      await store.putTallies(0, 30_000, [
        makeTally({ day: 20_512 }),
        makeTally({ day: Math.floor((at + dayMs) / dayMs) }),
      ]);
      await store.propose(makeChange());
      await store.forgetBefore(at + dayMs);
      const ids = [2, 3].map((version) => ({ rule: 'rule-1', version }));
      expect(await store.armsOf(ids, '2026-01-01', '2026-12-31')).toMatchObject([{ version: 3 }]);
      expect((await store.openExposures(at + 2 * dayMs, whole)).rows.map(({ ordinal }) => ordinal)).toEqual([2]);
      expect(await store.talliesOf('rule-1', 'line', 0)).toHaveLength(1);
      expect(await store.change('change-1')).toEqual(makeChange());
    });
  });
