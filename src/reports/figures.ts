import { type Lift, liftOf } from '../tuning/lift.ts';
import { interval, meanOf, posterior } from '../tuning/statistics/beta.ts';
import { usefulness } from '../tuning/worth.ts';
import { codeOfMeasure, type FunnelStep, funnelSteps, type Measures, noKey, ratingMeasures } from './counters.ts';

/** How many people are in a state for a reason. */
type CodeCount = { state: string; code: string; people: number };

/** The steps of one key; `withheld` and the others are where people stand who did not go on. */
export type FunnelRow = { key: string } & Record<
  FunnelStep | (typeof standing)[number] | (typeof said)[number],
  number
> & {
    byCode: CodeCount[];
  };

/** Where people stand whom nothing has left for, or came back from. */
const standing = ['withheld', 'deferred', 'digested', 'failed', 'bounced', 'cancelled', 'planned', 'sending'] as const;
/** What people said. */
const said = ['useful', 'notForMe', 'tooMany', 'stops', 'complaints'] as const;

const pick = <N extends string>(measures: Measures, names: readonly N[]): Record<N, number> =>
  Object.fromEntries(names.map((name) => [name, measures[name] ?? 0])) as Record<N, number>;

export const funnelRow = (key: string, measures: Measures): FunnelRow => ({
  key,
  ...pick(measures, funnelSteps),
  ...pick(measures, standing),
  ...pick(measures, said),
  byCode: Object.entries(measures)
    .flatMap(([measure, people]) => {
      const found = codeOfMeasure(measure);
      return found && found.code !== '' ? [{ ...found, people }] : [];
    })
    .sort((a, b) => b.people - a.people || (a.code < b.code ? -1 : 1)),
});

/** A share with its 95 % interval (Jeffreys'). Of nothing, the interval says that nothing is known. */
export type Share = { share: number | null; interval: [number, number] };
export const shareOf = (part: number, whole: number): Share => {
  if (whole === 0) return { share: null, interval: [0, 1] };
  return { share: part / whole, interval: interval(posterior(part, whole)) };
};

/**
 * A rule's version: whom it told, what they said, and its worth: the posterior of the share of messages that earned their
 * reward (tuning's) among those whose 72 hours are over (`messages`). `lift`: null while an arm of the holdout is empty.
 */
export type RuleRow = {
  rule: string;
  version: number;
  name: string | null;
  matched: number;
  sent: number;
  useful: number;
  notForMe: number;
  tooMany: number;
  stops: number;
  complaints: number;
  clicked: number;
  posterior: { mean: number; interval: [number, number]; messages: number; rewarded: number };
  lift: Lift | null;
};

export const ruleRow = (rule: string, version: number, measures: Measures): RuleRow => {
  const of = (name: string): number => measures[name] ?? 0;
  const beta = usefulness({ eligible: 0, sent: of('judged'), useful: of('rewarded'), unwanted: of('unwanted') });
  return {
    rule,
    version,
    name: null,
    ...pick(measures, ['matched', 'sent', 'clicked', 'useful', 'notForMe', 'tooMany', 'stops', 'complaints']),
    posterior: { mean: meanOf(beta), interval: interval(beta), messages: of('judged'), rewarded: of('rewarded') },
    lift: liftOf(
      { people: of('told'), viewed: of('toldViewed') },
      { people: of('heldOut'), viewed: of('heldOutViewed') },
    ),
  };
};

export const coverageGroups = ['region', 'age', 'language', 'channel'] as const;
export type CoverageGroup = (typeof coverageGroups)[number];

/** Of the people of a group who were owed a message, how many it reached. */
export type CoverageRow = Share & { group: CoverageGroup; key: string; entitled: number; reached: number };

export const coverageRow = (group: CoverageGroup, key: string, measures: Measures): CoverageRow => {
  const [entitled, reached] = [measures.entitled ?? 0, measures.reached ?? 0];
  return { group, key, entitled, reached, ...shareOf(reached, entitled) };
};

/** Groups of fewer people are not named as the worst served: a handful can always stand out by chance. */
const fewest = 10;

/** The group that is served worst; `certain`: it is worse than all together by more than chance explains. */
export type WorstServed = CoverageRow & { certain: boolean };

/**
 * The group of the lowest share: among those whose interval lies below the share of all together, if there are any. The intervals
 * are wider the more groups are compared (Bonferroni), or the smallest would always stand out. Only those whom a fact puts into
 * a group are compared, not the channels, which say how people are reached and not who they are.
 */
export const worstServed = (rows: readonly CoverageRow[]): WorstServed | null => {
  const compared = rows.filter(
    ({ group, key, entitled }) => group !== 'channel' && key !== noKey && entitled >= fewest,
  );
  const level = 1 - 0.05 / compared.length;
  const isCertain = (row: CoverageRow): boolean => {
    const all = rows.filter(({ group }) => group === row.group);
    const sum = (name: 'reached' | 'entitled') => all.reduce((total, one) => total + one[name], 0);
    const [, upper] = interval(posterior(row.reached, row.entitled), level);
    return upper < sum('reached') / sum('entitled');
  };
  const certain = compared.filter(isCertain);
  const [worst] = (certain.length > 0 ? certain : compared).toSorted((a, b) => (a.share ?? 0) - (b.share ?? 0));
  return worst ? { ...worst, certain: certain.length > 0 } : null;
};

/** Ratings of an item or topic: how many of 1 to 5, their mean, and the share of those of 4 and 5 with its interval. */
export type SatisfactionRow = Share & {
  key: string;
  title: string | null;
  ratings: number;
  mean: number | null;
  byRating: number[];
};

export const satisfactionRow = (key: string, measures: Measures): SatisfactionRow => {
  const byRating = ratingMeasures.map((name) => measures[name] ?? 0);
  const ratings = byRating.reduce((sum, count) => sum + count, 0);
  const sum = byRating.reduce((total, count, at) => total + count * (at + 1), 0);
  const good = (byRating[3] ?? 0) + (byRating[4] ?? 0);
  return { key, title: null, ratings, mean: ratings > 0 ? sum / ratings : null, byRating, ...shareOf(good, ratings) };
};
