import { below, interval, meanOf, posterior, sample } from '../../../src/tuning/statistics/beta.ts';
import { binomial, seededRandom } from './fixtures.ts';

/** Σ C(n, k) x^k (1 − x)^(n − k) over k >= a: what I_x(a, b) is for whole numbers with a + b = n + 1. */
const exactly = (x: number, a: number, b: number): number => {
  const n = a + b - 1;
  let term = (1 - x) ** n;
  let sum = 0;
  for (let k = 0; k <= n; k++) {
    if (k >= a) sum += term;
    term *= ((n - k) / (k + 1)) * (x / (1 - x));
  }
  return sum;
};

describe('the Beta distribution', () => {
  it('has the distribution function of closed form for whole shapes', () => {
    for (const [x, a, b] of [
      [0.3, 2, 3],
      [0.05, 1, 40],
      [0.7, 30, 12],
      [0.5, 100, 100],
    ] as const)
      expect(below(x, { a, b })).toBeCloseTo(exactly(x, a, b), 7);
    expect(below(0, { a: 1, b: 1 })).toBe(0);
    expect(below(1, { a: 1, b: 1 })).toBe(1);
  });

  it('has quantiles that the distribution function brings back, from the prior to a million messages', () => {
    for (const a of [0.5, 1.5, 30.5, 1_000.5, 100_000.5])
      for (const b of [0.5, 2.5, 30.5, 1_000.5, 900_000.5]) {
        const [low, high] = interval({ a, b });
        expect(below(low, { a, b })).toBeCloseTo(0.025, 5);
        expect(below(high, { a, b })).toBeCloseTo(0.975, 5);
      }
  });

  it('is symmetric, and uniform for the shapes 1 and 1', () => {
    expect(interval({ a: 1, b: 1 })[0]).toBeCloseTo(0.025, 10);
    const [low, high] = interval({ a: 3, b: 7 });
    const [mirroredLow, mirroredHigh] = interval({ a: 7, b: 3 });
    expect(low + mirroredHigh).toBeCloseTo(1, 9);
    expect(high + mirroredLow).toBeCloseTo(1, 9);
  });

  it.each([
    [0.5, 0.5],
    [0.7, 12],
    [40.5, 200.5],
    [3_000, 9_000],
  ])('is sampled as it is (%d, %d): mean, variance, and the shares below its quartiles', (a, b) => {
    const random = seededRandom(`sample ${a} ${b}`);
    const n = 40_000;
    const numbers = Array.from({ length: n }, () => sample({ a, b }, random));
    const mean = numbers.reduce((sum, x) => sum + x, 0) / n;
    const variance = numbers.reduce((sum, x) => sum + (x - mean) ** 2, 0) / n;
    const expected = (a * b) / ((a + b) ** 2 * (a + b + 1));
    expect(Math.abs(mean - meanOf({ a, b }))).toBeLessThan(4 * Math.sqrt(expected / n));
    expect(variance / expected).toBeGreaterThan(0.95);
    expect(variance / expected).toBeLessThan(1.05);
    for (const quarter of [0.1, 0.25, 0.5, 0.75, 0.9]) {
      const share = numbers.filter((x) => below(x, { a, b }) < quarter).length / n;
      expect(Math.abs(share - quarter)).toBeLessThan(4 * Math.sqrt((quarter * (1 - quarter)) / n));
    }
  });
});

describe('posterior intervals', () => {
  const worlds = 2_000;
  const covered = (level: number, share: (random: () => number) => number, n: number, seed: string): number => {
    const random = seededRandom(seed);
    let hits = 0;
    for (let world = 0; world < worlds; world++) {
      const truth = share(random);
      const [low, high] = interval(posterior(binomial(n, truth, random), n), level);
      if (truth >= low && truth <= high) hits++;
    }
    return hits / worlds;
  };
  /** Four standard errors of a coverage measured over that many worlds. */
  const slack = (level: number): number => 4 * Math.sqrt((level * (1 - level)) / worlds);

  it.each([0.5, 0.8, 0.95])('cover at their nominal rate %d where shares are as the prior says', (level) => {
    const rate = covered(level, (random) => sample({ a: 0.5, b: 0.5 }, random), 50, `prior ${level}`);
    expect(Math.abs(rate - level)).toBeLessThan(slack(level));
  });

  // a share of 3 % in 500 messages is 15 people: an interval that ends between two of them cannot hold its rate exactly
  it.each([
    [0.03, 500, 0.015],
    [0.12, 300, 0.01],
    [0.35, 400, 0.01],
    [0.71, 250, 0.01],
  ])('cover a fixed share of %d over %d messages at 95 %%', (share, n, steps) => {
    const rate = covered(0.95, () => share, n, `fixed ${share}`);
    expect(Math.abs(rate - 0.95)).toBeLessThan(slack(0.95) + steps);
  });
});
