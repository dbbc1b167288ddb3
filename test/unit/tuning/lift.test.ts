import { liftAmong, liftOf } from '../../../src/tuning/lift.ts';
import { binomial, seededRandom } from './fixtures.ts';

describe('lift against the holdout', () => {
  it('has the interval of Newcombe (1998), table II, method 10', () => {
    const published: [number, number, number, number, number, number][] = [
      [56, 70, 48, 80, 0.0524, 0.3339],
      [9, 10, 3, 10, 0.1705, 0.809],
      [10, 10, 0, 10, 0.6075, 1],
      [0, 10, 0, 10, -0.2775, 0.2775],
    ];
    for (const [viewed, people, otherViewed, others, low, high] of published) {
      const lift = liftOf({ people, viewed }, { people: others, viewed: otherViewed });
      expect(lift?.interval[0]).toBeCloseTo(low, 3);
      expect(lift?.interval[1]).toBeCloseTo(high, 3);
    }
  });

  it('holds the truth at its nominal rate', () => {
    const random = seededRandom('lift');
    const worlds = 1_500;
    let held = 0;
    for (let world = 0; world < worlds; world++) {
      const told = { people: 900, viewed: binomial(900, 0.09, random) };
      const heldOut = { people: 100, viewed: binomial(100, 0.06, random) };
      const [low, high] = liftOf(told, heldOut)?.interval ?? [0, 0];
      if (low <= 0.03 && 0.03 <= high) held++;
    }
    expect(Math.abs(held / worlds - 0.95)).toBeLessThan(4 * Math.sqrt((0.95 * 0.05) / worlds) + 0.01);
  });

  it('counts only who was known before the draw and told by nothing else, alike in both arms', () => {
    const person = { heldOut: false, tiedBefore: true, toldOtherwise: false, viewed: true };
    const lift = liftAmong([
      person,
      { ...person, viewed: false },
      { ...person, tiedBefore: false },
      { ...person, toldOtherwise: true },
      { ...person, heldOut: true, viewed: false },
      { ...person, heldOut: true, tiedBefore: false },
      { ...person, heldOut: true, toldOtherwise: true },
    ]);
    expect(lift).toMatchObject({ told: { people: 2, viewed: 1 }, heldOut: { people: 1, viewed: 0 }, lift: 0.5 });
  });

  it('is unknown while nobody is in one of the arms', () => {
    expect(liftOf({ people: 10, viewed: 3 }, { people: 0, viewed: 0 })).toBeNull();
  });
});
