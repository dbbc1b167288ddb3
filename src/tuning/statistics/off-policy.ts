import type { Random } from './seeded-random.ts';

/**
 * One decision that was taken, and the policy that is asked about. `outcome`: what it earned. `propensity`: the probability with
 * which the decision was taken; `target`: with which the other policy would have taken the same. `model`: what a model expects of
 * the decision taken, `modelTarget` of what the other policy does in its place.
 */
export type Logged = {
  outcome: number;
  propensity: number;
  target: number;
  model: number;
  modelTarget: number;
};

/** Mean outcome of one decision: by inverse propensities, self-normalised, by the model alone, doubly robust. */
export type Estimates = { ips: number; snips: number; direct: number; doublyRobust: number };
const estimators = ['ips', 'snips', 'direct', 'doublyRobust'] as const;

/** Why nothing can be said: too few decisions, or too few of what was done is what the other policy would do. */
type Refusal = 'too-few' | 'no-overlap' | 'thin-overlap';

/** `effective`: as many decisions as would tell as much had they been the other policy's own (Kish). Intervals hold 95 %. */
export type OffPolicy =
  | {
      ok: true;
      n: number;
      effective: number;
      estimates: Estimates;
      intervals: Record<keyof Estimates, [number, number]>;
    }
  | { ok: false; reason: Refusal; n: number; effective: number };

const fewest = 100;
const fewestEffective = 50;
/** A weight above this rests the answer on a handful of people. */
const greatestWeight = 200;
const resamples = 300;

/** Sums over decisions counted `times` each. */
const estimatesOf = (logged: readonly Logged[], weights: Float64Array, times: (at: number) => number): Estimates => {
  let n = 0;
  let weighted = 0;
  let weight = 0;
  let model = 0;
  let correction = 0;
  for (const [at, one] of logged.entries()) {
    const count = times(at);
    if (count === 0) continue;
    const w = (weights[at] ?? 0) * count;
    n += count;
    weighted += w * one.outcome;
    weight += w;
    model += count * one.modelTarget;
    correction += w * (one.outcome - one.model);
  }
  return {
    ips: n > 0 ? weighted / n : 0,
    snips: weight > 0 ? weighted / weight : 0,
    direct: n > 0 ? model / n : 0,
    doublyRobust: n > 0 ? (model + correction) / n : 0,
  };
};

/** The estimates on all of the data, each decision counted once. */
export const estimate = (logged: readonly Logged[]): Estimates => estimatesOf(logged, weightsOf(logged), () => 1);

const weightsOf = (logged: readonly Logged[]): Float64Array =>
  Float64Array.from(logged, ({ target, propensity }) => (target === 0 ? 0 : target / propensity));

/** How many decisions drawn with the other policy's own hand would tell as much: (Σw)² / Σw². */
export const effectiveSize = (logged: readonly Logged[]): number => {
  const weights = weightsOf(logged);
  const sum = weights.reduce((total, w) => total + w, 0);
  const squares = weights.reduce((total, w) => total + w * w, 0);
  return squares > 0 ? sum ** 2 / squares : 0;
};

/** The distribution function of Poisson(1): what drawing n of n with return comes to for each of them. */
const poisson: number[] = [];
for (let k = 0, term = Math.exp(-1), sum = term; k < 12; k++, term /= k, sum += term) poisson.push(sum);

/** How often a decision is in one resample. */
const resampled = (random: Random): number => {
  const uniform = random();
  let count = 0;
  while (uniform >= (poisson[count] ?? 1)) count++;
  return count;
};

const middle95 = (values: number[]): [number, number] => {
  const sorted = values.sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] ?? 0;
  return [at(0.025), at(0.975)];
};

const refusalOf = (logged: readonly Logged[], effective: number): Refusal | null => {
  if (logged.length < fewest) return 'too-few';
  const impossible = logged.some(({ target, propensity }) => target > 0 && propensity <= 0);
  if (impossible || effective === 0) return 'no-overlap';
  const heaviest = logged.reduce((most, { target, propensity }) => Math.max(most, target / propensity || 0), 0);
  return effective < fewestEffective || heaviest > greatestWeight ? 'thin-overlap' : null;
};

/**
 * What another policy would have earned a decision, from the decisions that were logged with their propensities, each with a
 * bootstrap interval; or why that cannot be said.
 */
export const offPolicy = (logged: readonly Logged[], random: Random): OffPolicy => {
  const n = logged.length;
  const effective = effectiveSize(logged);
  const reason = refusalOf(logged, effective);
  if (reason !== null) return { ok: false, reason, n, effective };
  const weights = weightsOf(logged);
  const runs = Array.from({ length: resamples }, () => estimatesOf(logged, weights, () => resampled(random)));
  const intervals = Object.fromEntries(estimators.map((name) => [name, middle95(runs.map((run) => run[name]))]));
  return {
    ok: true,
    n,
    effective,
    estimates: estimatesOf(logged, weights, () => 1),
    intervals: intervals as Record<keyof Estimates, [number, number]>,
  };
};
