import { armDrawsOf } from '../../../src/fanout/draws.ts';
import type { Reason } from '../../../src/fanout/policy.ts';
import { drawOf } from '../../../src/fanout/worker/rows.ts';
import { makeKeyring, newWrappedLookupKey } from '../../../src/keyring.ts';
import {
  type Arms,
  allowedValues,
  armAt,
  drawArms,
  isTuned,
  lineageOf,
  passOf,
  propensityOf,
  settingOf,
  withValue,
} from '../../../src/rules/arms.ts';
import { makeRuleContent } from './fixtures.ts';

const keyring = makeKeyring('arms', newWrappedLookupKey('arms'));
/** The value that χ² of `degrees` stays below with probability 0.999 (Wilson and Hilferty). */
const chiSquareLimit = (degrees: number): number =>
  degrees * (1 - 2 / (9 * degrees) + 3.09 * Math.sqrt(2 / (9 * degrees))) ** 3;
const chiSquare = (counts: number[], probabilities: number[]): number => {
  const n = counts.reduce((sum, count) => sum + count, 0);
  return counts.reduce(
    (sum, count, at) => sum + (count - n * (probabilities[at] ?? 0)) ** 2 / (n * (probabilities[at] ?? 1)),
    0,
  );
};

const arms: Arms = {
  threshold: [
    { value: 0.1, probability: 0.02 },
    { value: 0.4, probability: 0.68 },
    { value: 0.7, probability: 0.3 },
  ],
  hour: [
    { value: 'at-once', probability: 0.25 },
    { value: 'preferred', probability: 0.75 },
  ],
};
const people = Array.from({ length: 60_000 }, (_, at) => `person-${at}`);

describe('arms', () => {
  it('are the values that the publisher allowed, the written one among them', () => {
    const content = makeRuleContent({
      tune: { threshold: [0.1, 0.85], weight: [0.5, 2], channels: true, hour: true },
    });
    expect(allowedValues(content, 'threshold')).toEqual([0.1, 0.25, 0.4, 0.55, 0.7, 0.85]);
    expect(allowedValues(content, 'weight')).toEqual([0.5, 1, 1.25, 2]);
    expect(allowedValues(content, 'channels')).toEqual(['email', 'webPush']);
    expect(allowedValues(content, 'hour')).toEqual(['at-once', 'preferred']);
    expect(isTuned(content)).toBe(true);
  });

  it('are none where nothing may move', () => {
    expect(isTuned(makeRuleContent({ tune: {} }))).toBe(false);
    expect(isTuned(makeRuleContent({ tune: { threshold: [0.4, 0.4] } }))).toBe(false);
    expect(isTuned(makeRuleContent({ who: { all: [] } }))).toBe(false);
  });

  it('change one parameter and nothing else, and can be read back', () => {
    const content = makeRuleContent();
    const moved = withValue(content, 'threshold', 0.55);
    expect(moved).toEqual({ ...content, who: { all: [{ person: 'interest', topic: 'housing', atLeast: 0.55 }] } });
    expect(settingOf(moved, 'threshold')).toBe(0.55);
    expect(withValue(moved, 'threshold', 0.4)).toEqual(content);
    expect(withValue(content, 'channels', 'webPush').deliver.channels).toEqual(['webPush', 'email']);
    expect(settingOf(withValue(content, 'weight', 2), 'weight')).toBe(2);
    expect(settingOf(withValue(content, 'hour', 'preferred'), 'hour')).toBe('preferred');
  });

  it('keep the lineage, which other changes break', () => {
    const content = makeRuleContent();
    expect(lineageOf(withValue(content, 'threshold', 0.55))).toBe(lineageOf(content));
    expect(lineageOf({ ...content, when: { item: 'topics', has: ['schools'] } })).not.toBe(lineageOf(content));
  });
});

describe('drawing', () => {
  it('falls into the arm that covers the number', () => {
    const three = [{ probability: 0.2 }, { probability: 0.5 }, { probability: 0.3 }];
    expect([0, 0.1999, 0.2, 0.6999, 0.7, 0.999999].map((at) => armAt(three, at))).toEqual([0, 0, 1, 1, 2, 2]);
    expect(armAt([{ probability: 0.1 }, { probability: 0.1 }], 0.9)).toBe(1);
  });

  it('logs propensities that its choices keep to (χ², 60,000 people, one day)', () => {
    const counts = new Map<string, { seen: number; propensity: number }>();
    for (const person of people) {
      const drawn = drawArms(arms, armDrawsOf(keyring, 'rule', '2026-06-10', person));
      const name = JSON.stringify(drawn);
      const seen = (counts.get(name)?.seen ?? 0) + 1;
      counts.set(name, { seen, propensity: propensityOf(arms, drawn) });
    }
    const cells = [...counts.values()];
    expect(cells).toHaveLength(6);
    expect(cells.reduce((sum, { propensity }) => sum + propensity, 0)).toBeCloseTo(1, 12);
    const statistic = chiSquare(
      cells.map(({ seen }) => seen),
      cells.map(({ propensity }) => propensity),
    );
    expect(statistic).toBeLessThan(chiSquareLimit(5));
  });

  it('is the same for a person all day, and another one on another day or of another rule', () => {
    const once = armDrawsOf(keyring, 'rule', '2026-06-10', 'person-1');
    expect(armDrawsOf(keyring, 'rule', '2026-06-10', 'person-1')).toEqual(once);
    expect(armDrawsOf(keyring, 'rule', '2026-06-11', 'person-1')).not.toEqual(once);
    expect(armDrawsOf(keyring, 'other', '2026-06-10', 'person-1')).not.toEqual(once);
  });

  it('draws days and rules independently (χ² of the joint draw)', () => {
    const joint = new Array<number>(16).fill(0);
    for (const person of people) {
      const [today = 0] = armDrawsOf(keyring, 'rule', '2026-06-10', person);
      const [tomorrow = 0] = armDrawsOf(keyring, 'rule', '2026-06-11', person);
      const cell = Math.floor(today * 4) * 4 + Math.floor(tomorrow * 4);
      joint[cell] = (joint[cell] ?? 0) + 1;
    }
    expect(chiSquare(joint, new Array<number>(16).fill(1 / 16))).toBeLessThan(chiSquareLimit(15));
  });

  it('knows with which probability somebody is let through', () => {
    expect(passOf(arms, 0.1)).toBeCloseTo(0.02);
    expect(passOf(arms, 0.5)).toBeCloseTo(0.7);
    expect(passOf(arms, 0.7)).toBeCloseTo(1);
    expect(passOf({}, 0)).toBe(1);
  });
});

describe('the holdout', () => {
  const reasons = [{ kind: 'rule' }] as Reason[];
  const drawFor = (item: string, person: string): number => drawOf(keyring, item, person, reasons);
  const draws = people.map((person) => drawFor('item', person));

  it('is the same whenever it is asked', () => {
    expect(people.slice(0, 100).map((person) => drawFor('item', person))).toEqual(draws.slice(0, 100));
  });

  it('is uniform over people (χ² over 50 cells), so that a share of 0.1 leaves out a tenth', () => {
    const cells = new Array<number>(50).fill(0);
    for (const draw of draws) cells[Math.floor(draw * 50)] = (cells[Math.floor(draw * 50)] ?? 0) + 1;
    expect(chiSquare(cells, new Array<number>(50).fill(1 / 50))).toBeLessThan(chiSquareLimit(49));
    const share = draws.filter((draw) => draw < 0.1).length / people.length;
    expect(Math.abs(share - 0.1)).toBeLessThan(3 * Math.sqrt((0.1 * 0.9) / people.length));
  });

  it('says nothing of the arms, of other items, or of what order people joined in', () => {
    const table = new Array<number>(4).fill(0);
    const byOrder = new Array<number>(4).fill(0);
    for (const [at, person] of people.entries()) {
      const out = (draws[at] ?? 0) < 0.5 ? 0 : 1;
      const [arm = 0] = armDrawsOf(keyring, 'rule', '2026-06-10', person);
      const other = drawFor('other', person);
      const cell = out * 2 + (arm < 0.5 === other < 0.5 ? 0 : 1);
      table[cell] = (table[cell] ?? 0) + 1;
      const order = out * 2 + (at < people.length / 2 ? 0 : 1);
      byOrder[order] = (byOrder[order] ?? 0) + 1;
    }
    const even = new Array<number>(4).fill(1 / 4);
    expect(chiSquare(table, even)).toBeLessThan(chiSquareLimit(3));
    expect(chiSquare(byOrder, even)).toBeLessThan(chiSquareLimit(3));
  });
});
