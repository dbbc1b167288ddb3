import {
  type Arm,
  type Arms,
  type ArmValues,
  allowedValues,
  type Parameter,
  parameters,
  settingOf,
} from '../rules/arms.ts';
import type { RuleContent } from '../rules/rule.ts';
import { interval, meanOf, below as probabilityBelow } from './statistics/beta.ts';
import type { Random } from './statistics/seeded-random.ts';
import type { Counts, Evidence, Move, Share, Tally } from './tuning.ts';
import {
  type Contest,
  countsByArm,
  enough,
  floored,
  noCounts,
  playArms,
  playThresholds,
  sumOf,
  usefulness,
} from './worth.ts';

/** No choice is ever drawn less often than this, so that it stays measurable (design D14). */
export const armFloor = 0.01;
const sure = 0.95;
/** The share of useful messages below which a rule is paused, unless its publisher says another. */
const usualFloor = 0.01;

/** What a night looks at: a rule as it selects now, its tallies of the same lineage, parameters that staff have put back by hand. */
export type Night = {
  content: RuleContent;
  held: readonly Parameter[];
  tallies: readonly Tally[];
  /** Days since 1970 UTC. */
  today: number;
  random: Random;
};

/** Tomorrow's arms, what the evidence speaks for, and why the rule should be paused (null: it should not). */
export type Dawn = { arms: Arms; moves: Move[]; pause: (Evidence & { kind: 'worth' }) | null };

const shareOf = (counts: Counts): Share => {
  const known = usefulness(counts);
  const [low, high] = interval(known);
  return { share: meanOf(known), half: (high - low) / 2, n: Math.round(counts.sent) };
};

/** People by the highest of these thresholds that they reach; what was counted under other thresholds goes to the one below. */
const bandsOf = (values: readonly number[], byLevel: ReadonlyMap<string, Counts>): Counts[] => {
  const parts = values.map((): Counts[] => []);
  for (const [level, counts] of byLevel) {
    const at = values.findLastIndex((value) => value <= Number(level));
    parts[Math.max(0, at)]?.push(counts);
  }
  return parts.map(sumOf);
};

const thresholdEvidence = (bands: readonly Counts[], from: number, to: number, probability: number): Evidence => {
  const raise = to > from;
  const above = shareOf(sumOf(raise ? bands.slice(to) : bands.slice(to, from)));
  const below = shareOf(sumOf(raise ? bands.slice(from, to) : bands.slice(0, to)));
  return { kind: raise ? 'raise' : 'lower', above, below, n: above.n + below.n, probability };
};

const choiceEvidence = (arms: readonly Counts[], from: number, to: number, probability: number): Evidence => {
  const better = shareOf(arms[to] ?? noCounts());
  const worse = shareOf(arms[from] ?? noCounts());
  return { kind: 'choice', better, worse, n: better.n + worse.n, probability };
};

/** The arm that most surely beats the present one, if one does so surely enough. */
const surest = ({ beats, wins }: Contest): number | null => {
  let best: number | null = null;
  for (const [arm, probability] of beats.entries())
    if (probability >= sure && (best === null || (wins[arm] ?? 0) > (wins[best] ?? 0))) best = arm;
  return best;
};

/** Where tuning only proposes, the present value keeps all but the floors of the others. */
const shares = (values: number, present: number, contest: Contest, moves: boolean): number[] =>
  floored(
    Array.from({ length: values }, (_, at) => (moves ? (contest.wins[at] ?? 0) : at === present ? 1 : 0)),
    Math.min(armFloor, 0.5 / values),
  );

const tuneParameter = <P extends Parameter>(
  parameter: P,
  night: Night,
): { arms: Arm<P>[]; move: Move | null } | null => {
  const { content, tallies, today, random } = night;
  const values = allowedValues(content, parameter);
  const own = settingOf(content, parameter);
  const present = own === null ? -1 : values.indexOf(own);
  if (own === null || present < 0) return null;
  const known = countsByArm(tallies, parameter, today);
  const isThreshold = parameter === 'threshold';
  const counts = isThreshold
    ? bandsOf(values as number[], known)
    : values.map((value) => known.get(String(value)) ?? noCounts());
  const contest = (isThreshold ? playThresholds : playArms)(counts, present, random);
  const to = surest(contest);
  const mayMove = content.tune.apply === true && !night.held.includes(parameter);
  const probabilities = shares(values.length, present, contest, mayMove);
  const arms = values.map((value, at): Arm<P> => ({ value, probability: probabilities[at] ?? 0 }));
  if (to === null) return { arms, move: null };
  const evidence = (isThreshold ? thresholdEvidence : choiceEvidence)(counts, present, to, contest.beats[to] ?? 0);
  return { arms, move: { parameter, from: own, to: values[to] as ArmValues[P], evidence } };
};

const pauseOf = ({ content, tallies, today }: Night): Dawn['pause'] => {
  const all = sumOf([...countsByArm(tallies, 'all', today).values()]);
  if (all.sent < enough) return null;
  const floor = content.tune.floor ?? usualFloor;
  const probability = probabilityBelow(floor, usefulness(all));
  if (probability < sure) return null;
  const worth = shareOf(all);
  return { kind: 'worth', worth, floor, n: worth.n, probability };
};

/**
 * One night of one rule (design D14): tomorrow's arms within what its publisher allowed (Thompson's win shares, floored), the
 * moves that the evidence speaks for with at least 95 % probability, and whether its worth is surely below its floor. Pure:
 * the same numbers and randomness give the same dawn.
 */
export const tuneRule = (night: Night): Dawn => {
  const arms: Arms = {};
  const moves: Move[] = [];
  for (const parameter of parameters) {
    const tuned = tuneParameter(parameter, night);
    if (!tuned) continue;
    Object.assign(arms, { [parameter]: tuned.arms });
    if (tuned.move) moves.push(tuned.move);
  }
  return { arms, moves, pause: pauseOf(night) };
};
