import { createHash } from 'node:crypto';
import { type ChannelName, channelNames } from '../subscriptions/follow.ts';
import type { Condition } from './condition.ts';
import type { RuleContent } from './rule.ts';
import { personLeavesOf } from './selection.ts';

/** What tuning may move, where a publisher allowed it (design D14). */
export const parameters = ['threshold', 'weight', 'channels', 'hour'] as const;
export type Parameter = (typeof parameters)[number];

/**
 * The value that each parameter takes: the interest that is asked for, how much the rule counts beside others that selected the
 * same person (1: as its priority says), which channel comes first, whether messages wait for the hour at which a person reacts.
 */
export type ArmValues = { threshold: number; weight: number; channels: ChannelName; hour: 'at-once' | 'preferred' };

/** **arm**: one value that a parameter may take, with the probability of being drawn. */
export type Arm<P extends Parameter = Parameter> = { value: ArmValues[P]; probability: number };
export type Arms = { [P in Parameter]?: Arm<P>[] };

/** The arms of one rule version on one day (2026-06-10, in the office's zone). Never changed once published. */
export type PublishedArms = { rule: string; version: number; day: string; arms: Arms; at: number };

/** What one person drew: for each parameter the arm, by its place among the arms of the day. */
export type Drawn = { [P in Parameter]?: number };

const hours: readonly ArmValues['hour'][] = ['at-once', 'preferred'];
/** Thresholds tried between the bounds, both included. */
const thresholdsTried = 6;
const weightsTried = 3;

const rounded = (value: number): number => Math.round(value * 100) / 100;

const evenly = ([least, greatest]: readonly [number, number], count: number): number[] =>
  Array.from({ length: count }, (_, at) => rounded(least + ((greatest - least) * at) / (count - 1)));

const ascending = (values: number[]): number[] => [...new Set(values)].sort((a, b) => a - b);

const interestsOf = (who: Condition): number[] =>
  personLeavesOf(who).flatMap((leaf) => (leaf.person === 'interest' ? [leaf.atLeast] : []));

const isWithin = (value: number, [least, greatest]: readonly [number, number]): boolean =>
  value >= least && value <= greatest;

/** The threshold of a rule that tuning may move: that of its interest leaves which lies within the bounds; null if there is none. */
const thresholdOf = ({ who, tune }: Pick<RuleContent, 'who' | 'tune'>): number | null => {
  const { threshold } = tune;
  return threshold ? (interestsOf(who).find((atLeast) => isWithin(atLeast, threshold)) ?? null) : null;
};

/** The value that a rule's own content gives a parameter; null where the parameter means nothing for it. */
export const settingOf = <P extends Parameter>(content: RuleContent, parameter: P): ArmValues[P] | null => {
  const found: { [Q in Parameter]: () => ArmValues[Q] | null } = {
    threshold: () => thresholdOf(content),
    weight: () => content.deliver.weight ?? 1,
    channels: () => content.deliver.channels[0] ?? null,
    hour: () => content.deliver.hour ?? (content.tune.hour ? 'preferred' : 'at-once'),
  };
  return found[parameter]();
};

/** The values that a publisher lets a parameter take, the one written among them, in a fixed order; none where it may not move. */
export const allowedValues = <P extends Parameter>(content: RuleContent, parameter: P): ArmValues[P][] => {
  const { tune, deliver } = content;
  const own = settingOf(content, parameter);
  if (own === null) return [];
  const found: { [Q in Parameter]: () => ArmValues[Q][] } = {
    threshold: () => (tune.threshold ? ascending([...evenly(tune.threshold, thresholdsTried), own as number]) : []),
    weight: () => (tune.weight ? ascending([...evenly(tune.weight, weightsTried), own as number]) : []),
    channels: () => (tune.channels ? channelNames.filter((name) => deliver.channels.includes(name)) : []),
    hour: () => (tune.hour ? [...hours] : []),
  };
  const values = found[parameter]();
  return values.length > 1 ? values : [];
};

/** Whether a rule is measured: there is something that tuning may move in it, or it has a floor to keep. */
export const isTuned = (content: RuleContent): boolean =>
  content.tune.floor !== undefined || parameters.some((parameter) => allowedValues(content, parameter).length > 0);

const movedTo = (who: Condition, from: number | null, to: number): Condition => {
  if ('all' in who) return { all: who.all.map((one) => movedTo(one, from, to)) };
  if ('any' in who) return { any: who.any.map((one) => movedTo(one, from, to)) };
  if ('not' in who) return { not: movedTo(who.not, from, to) };
  return 'person' in who && who.person === 'interest' && who.atLeast === from ? { ...who, atLeast: to } : who;
};

/** The rule with one parameter at another value, and nothing else changed. */
export const withValue = <P extends Parameter>(
  content: RuleContent,
  parameter: P,
  value: ArmValues[P],
): RuleContent => {
  const { deliver } = content;
  const made: { [Q in Parameter]: (to: ArmValues[Q]) => RuleContent } = {
    threshold: (to) => ({ ...content, who: movedTo(content.who, thresholdOf(content), to) }),
    weight: (to) => ({ ...content, deliver: { ...deliver, weight: to } }),
    channels: (to) => ({ ...content, deliver: { ...deliver, channels: firstOf(deliver.channels, to) } }),
    hour: (to) => ({ ...content, deliver: { ...deliver, hour: to } }),
  };
  return made[parameter](value);
};

/** Channels with one of them moved to the front. */
export const firstOf = (channels: ChannelName[], first: ChannelName): ChannelName[] => [
  first,
  ...channels.filter((name) => name !== first),
];

/**
 * What stays the same of a rule when tuning moves it: what was learned of one version holds for every version of the same
 * lineage, and of no other.
 */
export const lineageOf = (content: RuleContent): string => {
  const { when, who, deliver, tune } = content;
  const blank = movedTo(who, thresholdOf(content), 0);
  const channels = tune.channels ? [...deliver.channels].sort() : deliver.channels;
  const rest = { when, who: blank, channels, pace: deliver.pace, threshold: tune.threshold ?? null };
  return createHash('sha256').update(JSON.stringify(rest)).digest('base64url').slice(0, 12);
};

/** The arm at which a uniform number in [0, 1) falls; the last takes what rounding leaves over. */
export const armAt = (arms: readonly { probability: number }[], uniform: number): number => {
  let sum = 0;
  for (let index = 0; index < arms.length; index++) {
    sum += arms[index]?.probability ?? 0;
    if (uniform < sum) return index;
  }
  return arms.length - 1;
};

/** One arm of each parameter. `uniform`: a number in [0, 1) for each place among `parameters`, so that draws are independent. */
export const drawArms = (arms: Arms, uniform: readonly number[]): Drawn =>
  Object.fromEntries(
    parameters.flatMap((parameter, place) => {
      const choice = arms[parameter];
      return choice && choice.length > 0 ? [[parameter, armAt(choice, uniform[place] ?? 0)]] : [];
    }),
  );

/** What was drawn, as the values themselves. */
export const valuesOf = (arms: Arms, drawn: Drawn): Partial<ArmValues> =>
  Object.fromEntries(
    parameters.flatMap((parameter) => {
      const at = drawn[parameter];
      return at === undefined ? [] : [[parameter, arms[parameter]?.[at]?.value]];
    }),
  );

/** The probability with which somebody was drawn what they drew: the propensity. */
export const propensityOf = (arms: Arms, drawn: Drawn): number =>
  parameters.reduce((product, parameter) => {
    const at = drawn[parameter];
    return at === undefined ? product : product * (arms[parameter]?.[at]?.probability ?? 0);
  }, 1);

/**
 * The probability that the threshold's draw lets somebody through who is selected up to `level` (the highest threshold at which
 * the rule selects them); 1 where the threshold does not move.
 */
export const passOf = (arms: Arms, level: number): number =>
  arms.threshold
    ? Math.min(
        1,
        arms.threshold.reduce((sum, arm) => (arm.value <= level ? sum + arm.probability : sum), 0),
      )
    : 1;
