import type { RuleContent } from '../../../src/rules/rule.ts';
import { seededRandom } from '../../../src/tuning/statistics/seeded-random.ts';
import type { Tally } from '../../../src/tuning/tuning.ts';

export const makeRuleContent = (overrides: Partial<RuleContent> = {}): RuleContent => ({
  name: 'Housing news',
  explanation: { en: 'You look at housing.', 'zh-CN': '您关注住房。' },
  when: { item: 'topics', has: ['housing'] },
  who: { all: [{ person: 'interest', topic: 'housing', atLeast: 0.4 }] },
  deliver: { channels: ['email', 'webPush'], pace: 'immediate', priority: 5 },
  holdout: 0,
  tune: { threshold: [0.1, 0.85] },
  ...overrides,
});

export const today = 20_000;

export const makeTally = (overrides: Partial<Tally> = {}): Tally => ({
  rule: 'r',
  lineage: 'l',
  day: today,
  parameter: 'threshold',
  arm: '0.4',
  channel: 'email',
  eligible: 0,
  sent: 0,
  useful: 0,
  unwanted: 0,
  ...overrides,
});

/** A binomial number, by coin. */
export const binomial = (n: number, p: number, random: () => number): number => {
  let hits = 0;
  for (let at = 0; at < n; at++) if (random() < p) hits++;
  return hits;
};

export { seededRandom };
