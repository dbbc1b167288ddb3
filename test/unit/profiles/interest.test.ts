import fc from 'fast-check';
import { levelOf, scaledWeight, thresholdLevel, weightAt } from '../../../src/profiles/interest.ts';

const now = Date.parse('2026-11-20T12:00:00Z');
const dayMs = 86_400_000;

describe('interest', () => {
  it('is s / (s + 5), nothing for sums of 0 and less', () => {
    expect(weightAt(scaledWeight(5, now), now)).toBeCloseTo(0.5, 12);
    expect(weightAt(0, now)).toBe(0);
    expect(weightAt(scaledWeight(-8, now), now)).toBe(0);
  });

  it('has eight levels in a doubling, and none without an interest', () => {
    expect([1, 2, 1.09, 1.1, 0.5].map(levelOf)).toEqual([0, 8, 0, 1, -8]);
    expect([0, -3].map(levelOf)).toEqual([null, null]);
  });

  it('is scaled to the first of January 2026', () => {
    expect(scaledWeight(3, Date.UTC(2026, 0, 1))).toBe(3);
    expect(scaledWeight(3, Date.UTC(2026, 0, 31))).toBeCloseTo(6, 12);
  });

  it('has a threshold that rises by eight levels in thirty days', () => {
    expect(thresholdLevel(0.5, now + 30 * dayMs)).toBe(thresholdLevel(0.5, now) + 8);
    expect(thresholdLevel(0.5, Date.UTC(2026, 0, 1))).toBe(Math.ceil(8 * Math.log2(5)));
  });

  it('asks nothing for 0 and too much for 1', () => {
    expect([0, -1, 1, 2].map((atLeast) => thresholdLevel(atLeast, now))).toEqual([
      -Infinity,
      -Infinity,
      Infinity,
      Infinity,
    ]);
  });

  it('never takes an interest for stronger than it is, nor for weaker by more than a level', () => {
    const sum = fc.double({ min: 0.01, max: 10_000, noNaN: true });
    const share = fc.double({ min: 0.001, max: 0.999, noNaN: true });
    fc.assert(
      fc.property(sum, share, fc.nat({ max: 3_650 }), (present, atLeast, days) => {
        const at = now + days * dayMs;
        const kept = scaledWeight(present, at);
        const holds = (levelOf(kept) ?? Number.NEGATIVE_INFINITY) >= thresholdLevel(atLeast, at);
        if (holds) expect(weightAt(kept, at)).toBeGreaterThanOrEqual(atLeast - 1e-9);
        else expect(weightAt(kept / 2 ** (1 / 8), at)).toBeLessThan(atLeast + 1e-9);
      }),
    );
  });
});
