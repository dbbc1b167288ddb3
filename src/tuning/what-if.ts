import { meanOf, posterior } from './statistics/beta.ts';
import { type Logged, type OffPolicy, offPolicy } from './statistics/off-policy.ts';
import type { Random } from './statistics/seeded-random.ts';
import type { ClosedExposure } from './tuning.ts';

/** What another threshold would have come to, for each person that the rule could have told: told, useful, unwanted. */
export type WhatIf = { n: number; told: number; useful: OffPolicy; unwanted: OffPolicy };

/** The model of the direct and the doubly robust estimate: the share that earned something at each level of interest. */
const modelOf = (exposures: readonly ClosedExposure[], earned: (one: ClosedExposure) => number) => {
  const byLevel = new Map<number, { hits: number; n: number }>();
  for (const one of exposures) {
    if (one.sentAt === null || one.level === null) continue;
    const known = byLevel.get(one.level) ?? { hits: 0, n: 0 };
    byLevel.set(one.level, { hits: known.hits + earned(one), n: known.n + 1 });
  }
  return (level: number | null): number => {
    const known = level === null ? undefined : byLevel.get(level);
    return known ? meanOf(posterior(known.hits, known.n)) : 0;
  };
};

/** The probability that somebody would be told, if the rule asked for this interest. */
const targetOf = ({ level, others }: ClosedExposure, threshold: number): number =>
  1 - (1 - (level !== null && level >= threshold ? 1 : 0)) * (1 - others);

const logOf = (
  exposures: readonly ClosedExposure[],
  threshold: number,
  earned: (one: ClosedExposure) => number,
): Logged[] => {
  const expected = modelOf(exposures, earned);
  return exposures.map((one) => {
    const tells = targetOf(one, threshold);
    const model = expected(one.level);
    return one.withheld
      ? { outcome: 0, propensity: 1 - one.pass, target: 1 - tells, model: 0, modelTarget: tells * model }
      : { outcome: earned(one), propensity: one.pass, target: tells, model, modelTarget: tells * model };
  });
};

/**
 * What would have happened had a rule asked for another interest, from whom it told and whom it did not, each with the
 * probability with which that was decided. Below the lowest threshold that was ever drawn nobody was decided on.
 */
export const whatIf = (exposures: readonly ClosedExposure[], threshold: number, random: Random): WhatIf => {
  const n = exposures.length;
  const lowest = exposures.reduce((least, { level }) => Math.min(least, level ?? least), Number.POSITIVE_INFINITY);
  const told = n > 0 ? exposures.reduce((sum, one) => sum + targetOf(one, threshold), 0) / n : 0;
  if (n > 0 && threshold < lowest) {
    const refused: OffPolicy = { ok: false, reason: 'no-overlap', n, effective: 0 };
    return { n, told, useful: refused, unwanted: refused };
  }
  return {
    n,
    told,
    useful: offPolicy(
      logOf(exposures, threshold, ({ reward }) => reward),
      random,
    ),
    unwanted: offPolicy(
      logOf(exposures, threshold, ({ unwanted }) => (unwanted ? 1 : 0)),
      random,
    ),
  };
};
