import type { RuleContent } from '../../../src/rules/rule.ts';
import { armFloor, tuneRule } from '../../../src/tuning/tune-rule.ts';
import type { Tally } from '../../../src/tuning/tuning.ts';
import { binomial, makeRuleContent, makeTally, seededRandom, today } from './fixtures.ts';

const levels = [0.1, 0.25, 0.4, 0.55, 0.7, 0.85];
const night = (content: RuleContent, tallies: Tally[], held: ('threshold' | 'channels')[] = []) =>
  tuneRule({ content, tallies, held, today, random: seededRandom('night') });

/** Tallies of each level: a thousand people, of whom `sent` were told. */
const levelled = (shares: number[], sent = 400): Tally[] =>
  levels.map((level, at) =>
    makeTally({
      arm: String(level),
      eligible: 1_000,
      sent,
      useful: Math.round(sent * (shares[at] ?? 0)),
      unwanted: Math.round(sent * 0.2 * (1 - (shares[at] ?? 0))),
    }),
  );

const noisy = [0.02, 0.04, 0.12, 0.71, 0.7, 0.72];

describe('a night of tuning', () => {
  it('raises a threshold where people below the new one find little of use, with the evidence', () => {
    const { moves } = night(makeRuleContent(), levelled(noisy));
    expect(moves).toEqual([
      {
        parameter: 'threshold',
        from: 0.4,
        to: 0.55,
        evidence: {
          kind: 'raise',
          above: { share: expect.closeTo(0.71, 1), half: expect.closeTo(0.026, 2), n: 1_200 },
          below: { share: expect.closeTo(0.12, 1), half: expect.closeTo(0.03, 2), n: 400 },
          n: 1_600,
          probability: expect.any(Number),
        },
      },
    ]);
    expect(moves[0]?.evidence.probability).toBeGreaterThanOrEqual(0.95);
  });

  it('lowers one where those below it find it of use too', () => {
    const { moves } = night(makeRuleContent(), levelled([0.01, 0.6, 0.7, 0.7, 0.7, 0.7]));
    expect(moves).toMatchObject([{ parameter: 'threshold', from: 0.4, to: 0.25, evidence: { kind: 'lower' } }]);
  });

  it('only proposes unless the publisher lets it apply: all but the floors stays with the present value', () => {
    const { arms } = night(makeRuleContent(), levelled(noisy));
    expect(arms.threshold?.map(({ probability }) => probability)).toEqual(
      levels.map((level) => expect.closeTo(level === 0.4 ? 1 - 5 * armFloor : armFloor, 12)),
    );
  });

  it('gives the better arm most of the probability where it applies, and each at least the floor', () => {
    const content = makeRuleContent({ tune: { threshold: [0.1, 0.85], apply: true } });
    const { arms } = night(content, levelled(noisy));
    const probabilities = arms.threshold?.map(({ probability }) => probability) ?? [];
    expect(probabilities.reduce((sum, one) => sum + one, 0)).toBeCloseTo(1, 12);
    expect(Math.min(...probabilities)).toBeGreaterThanOrEqual(armFloor - 1e-12);
    expect(probabilities[3]).toBeGreaterThan(0.8);
    const held = night(content, levelled(noisy), ['threshold']);
    expect(held.arms.threshold?.[2]?.probability).toBeCloseTo(1 - 5 * armFloor, 12);
  });

  it('tries nothing widely before it is measured', () => {
    const content = makeRuleContent({ tune: { threshold: [0.1, 0.85], channels: true, apply: true } });
    const dawn = night(content, levelled(noisy, 20));
    expect(dawn.moves).toEqual([]);
    expect(dawn.arms.threshold?.[2]?.probability).toBeCloseTo(1 - 5 * armFloor, 12);
    expect(dawn.arms.channels?.map(({ probability }) => probability)).toEqual([
      expect.closeTo(1 - armFloor, 12),
      expect.closeTo(armFloor, 12),
    ]);
  });

  it('leaves a threshold alone where interest says nothing of what is of use (60 null worlds)', () => {
    const random = seededRandom('null');
    let moved = 0;
    for (let world = 0; world < 60; world++) {
      const tallies = levels.map((level) =>
        makeTally({
          arm: String(level),
          eligible: 1_000,
          sent: 1_000,
          useful: binomial(1_000, 0.3, random),
          unwanted: binomial(1_000, 0.05, random),
        }),
      );
      if (tuneRule({ content: makeRuleContent(), tallies, held: [], today, random }).moves.length > 0) moved++;
    }
    expect(moved).toBeLessThanOrEqual(2);
  });

  it('puts the channel first that more people act upon', () => {
    const content = makeRuleContent({ tune: { channels: true } });
    const { moves, arms } = night(content, [
      makeTally({ parameter: 'channels', arm: 'email', sent: 2_000, useful: 300, unwanted: 20 }),
      makeTally({ parameter: 'channels', arm: 'webPush', channel: 'webPush', sent: 500, useful: 150, unwanted: 5 }),
    ]);
    expect(moves).toMatchObject([
      { parameter: 'channels', from: 'email', to: 'webPush', evidence: { kind: 'choice' } },
    ]);
    expect(arms.threshold).toBeUndefined();
  });

  it.each([
    ['hour', { hour: true }, 'preferred', 'at-once', ['at-once', 'preferred']],
    ['weight', { weight: [0.5, 2] as [number, number] }, 1, 2, [0.5, 1, 1.25, 2]],
  ] as const)(
    'moves the %s to what more people act upon, among what was allowed',
    (parameter, tune, from, to, values) => {
      const { moves, arms } = night(makeRuleContent({ tune }), [
        makeTally({ parameter, arm: String(from), sent: 2_000, useful: 200, unwanted: 20 }),
        makeTally({ parameter, arm: String(to), sent: 500, useful: 150, unwanted: 5 }),
      ]);
      expect(moves).toMatchObject([{ parameter, from, to, evidence: { kind: 'choice', n: 2_500 } }]);
      expect(moves[0]?.evidence.probability).toBeGreaterThanOrEqual(0.95);
      expect(arms[parameter]?.map(({ value }) => value)).toEqual(values);
      // it only proposes: all but the floors stays with what is written
      expect(arms[parameter]?.filter(({ value }) => value !== from).map(({ probability }) => probability)).toEqual(
        values.slice(1).map(() => armFloor),
      );
    },
  );

  it('lets the old count less', () => {
    const tallies = levelled(noisy).map((tally) => ({ ...tally, day: today - 300 }));
    expect(night(makeRuleContent(), tallies).moves).toEqual([]);
  });

  it('pauses a rule that is surely of less use than its floor, and no other', () => {
    const all = (useful: number, sent: number) => [makeTally({ parameter: 'all', arm: '', sent, useful })];
    const content = makeRuleContent({ tune: { threshold: [0.1, 0.85], floor: 0.1 } });
    expect(night(content, all(40, 1_000)).pause).toMatchObject({ kind: 'worth', floor: 0.1, n: 1_000 });
    expect(night(content, all(90, 1_000)).pause).toBeNull();
    expect(night(content, all(0, 20)).pause).toBeNull();
  });

  it('comes to the same for the same numbers and randomness', () => {
    expect(night(makeRuleContent(), levelled(noisy))).toEqual(night(makeRuleContent(), levelled(noisy)));
  });
});
