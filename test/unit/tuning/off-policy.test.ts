import { effectiveSize, estimate, type Logged, offPolicy } from '../../../src/tuning/statistics/off-policy.ts';
import { seededRandom } from './fixtures.ts';

const logged = (one: Partial<Logged> = {}): Logged => ({
  outcome: 0,
  propensity: 0.5,
  target: 0.5,
  model: 0,
  modelTarget: 0,
  ...one,
});

describe('off-policy estimates', () => {
  it('are what a hand computes', () => {
    // weights 2, 0, 4 and 1; outcomes 1, 1, 0 and 1
    const small = [
      logged({ outcome: 1, propensity: 0.5, target: 1, model: 0.6, modelTarget: 0.6 }),
      logged({ outcome: 1, propensity: 0.5, target: 0, model: 0.6, modelTarget: 0 }),
      logged({ outcome: 0, propensity: 0.25, target: 1, model: 0.2, modelTarget: 0.2 }),
      logged({ outcome: 1, propensity: 0.8, target: 0.8, model: 0.4, modelTarget: 0.4 }),
    ];
    const found = estimate(small);
    expect(found.ips).toBeCloseTo((2 * 1 + 0 + 4 * 0 + 1 * 1) / 4, 12);
    expect(found.snips).toBeCloseTo(3 / 7, 12);
    expect(found.direct).toBeCloseTo((0.6 + 0 + 0.2 + 0.4) / 4, 12);
    // 1.2 / 4 + (2·0.4 + 4·(−0.2) + 1·0.6) / 4
    expect(found.doublyRobust).toBeCloseTo(0.3 + 0.6 / 4, 12);
    expect(effectiveSize(small)).toBeCloseTo(49 / 21, 12);
  });

  it('are the plain mean where the other policy is the one that was used', () => {
    const same = [1, 0, 0, 1, 1].map((outcome) => logged({ outcome, model: 0.5, modelTarget: 0.5 }));
    expect(estimate(same)).toEqual({ ips: 0.6, snips: 0.6, direct: 0.5, doublyRobust: expect.closeTo(0.6, 12) });
    expect(effectiveSize(same)).toBeCloseTo(5, 12);
  });

  /** People of five levels; who is told by what chance, and who is of use to whom, hang on the level. */
  const world = (seed: string, n: number, modelled: (level: number) => number) => {
    const random = seededRandom(seed);
    const truth = (level: number): number => 0.05 + 0.12 * level;
    let worthThen = 0;
    const decisions = Array.from({ length: n }, (): Logged => {
      const level = Math.floor(random() * 5);
      const pass = 0.15 + 0.17 * level;
      const target = level >= 2 ? 1 : 0;
      worthThen += target * truth(level);
      const isSent = random() < pass;
      const outcome = isSent && random() < truth(level) ? 1 : 0;
      return {
        outcome,
        propensity: isSent ? pass : 1 - pass,
        target: isSent ? target : 1 - target,
        model: isSent ? modelled(level) : 0,
        modelTarget: target * modelled(level),
      };
    });
    return { decisions, truth: worthThen / n };
  };

  it('agree with each other and with the truth in simulation, the doubly robust with the least spread', () => {
    const runs = Array.from({ length: 60 }, (_, at) => world(`agree ${at}`, 3_000, (level) => 0.05 + 0.12 * level));
    const errors = (name: 'ips' | 'direct' | 'doublyRobust'): number[] =>
      runs.map(({ decisions, truth }) => estimate(decisions)[name] - truth);
    const mean = (values: number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;
    const spread = (values: number[]): number => Math.sqrt(mean(values.map((x) => x * x)));
    for (const name of ['ips', 'direct', 'doublyRobust'] as const)
      expect(Math.abs(mean(errors(name)))).toBeLessThan(0.005);
    expect(spread(errors('doublyRobust'))).toBeLessThan(spread(errors('ips')));
  });

  it('stay right where the model is wrong, but for the direct one', () => {
    const runs = Array.from({ length: 60 }, (_, at) => world(`wrong ${at}`, 3_000, () => 0.9));
    const mean = (name: 'direct' | 'doublyRobust' | 'ips'): number =>
      runs.reduce((sum, { decisions, truth }) => sum + estimate(decisions)[name] - truth, 0) / runs.length;
    expect(mean('direct')).toBeGreaterThan(0.2);
    expect(Math.abs(mean('doublyRobust'))).toBeLessThan(0.01);
    expect(Math.abs(mean('ips'))).toBeLessThan(0.01);
  });

  it('have bootstrap intervals that hold the truth about as often as they say', () => {
    const worlds = 120;
    let held = 0;
    for (let at = 0; at < worlds; at++) {
      const { decisions } = world(`interval ${at}`, 600, (level) => 0.05 + 0.12 * level);
      const answer = offPolicy(decisions, seededRandom(`bootstrap ${at}`));
      // levels are even, so the policy is worth 0.6 × the mean of 0.29, 0.41 and 0.53
      const truth = 0.6 * 0.41;
      if (answer.ok && answer.intervals.doublyRobust[0] <= truth && truth <= answer.intervals.doublyRobust[1]) held++;
    }
    expect(held / worlds).toBeGreaterThan(0.95 - 4 * Math.sqrt((0.95 * 0.05) / worlds));
  });

  it('give the same interval for the same seed', () => {
    const { decisions } = world('same', 500, () => 0.3);
    expect(offPolicy(decisions, seededRandom('a'))).toEqual(offPolicy(decisions, seededRandom('a')));
  });

  it.each([
    ['too few decisions', Array.from({ length: 99 }, () => logged()), 'too-few'],
    [
      'nothing that was done is what it would do',
      Array.from({ length: 500 }, () => logged({ target: 0 })),
      'no-overlap',
    ],
    [
      'it would do what was never done',
      [...Array.from({ length: 500 }, () => logged()), logged({ propensity: 0, target: 1 })],
      'no-overlap',
    ],
    [
      'a handful of people would have to stand for all',
      Array.from({ length: 500 }, (_, at) => logged({ propensity: 0.01, target: at < 10 ? 1 : 0 })),
      'thin-overlap',
    ],
    [
      'one person would count for hundreds',
      [...Array.from({ length: 5_000 }, () => logged()), logged({ propensity: 0.001, target: 1 })],
      'thin-overlap',
    ],
  ])('are refused where %s', (_name, decisions, reason) => {
    expect(offPolicy(decisions, seededRandom('refused'))).toMatchObject({ ok: false, reason });
  });
});
