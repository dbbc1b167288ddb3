import { areasTouch, placeAttribute } from '../../catalogue/areas/place.ts';
import { regionWithAncestors } from '../../catalogue/region.ts';
import { type ParentOf, withAncestors } from '../../catalogue/topic.ts';
import { thresholdLevel } from '../../profiles/interest.ts';
import { type Condition, itemRegions, itemTopics, type PersonLeaf } from '../../rules/condition.ts';
import { dayOf, itemLeafHolds, languageMatches, type RuleContext } from '../../rules/evaluate.ts';
import { facetValue } from '../../subscriptions/follow.ts';
import type { ItemFacts } from '../../subscriptions/matching.ts';
import { activeDay, birthYear, bornTold, clampedValue, type Dictionary, everybody, regionTold } from './dictionary.ts';
import type { FollowTable } from './follow-table.ts';
import type { Plan, Union } from './plan.ts';

/** What the index knows words by. */
export type Vocabulary = {
  dictionary: Dictionary;
  follows: Pick<FollowTable, 'ofTopic'>;
  /** Every topic's number by slug. */
  topics: ReadonlyMap<string, number>;
};

const nobody: Plan = { kind: 'nobody' };
const all: Plan = { kind: 'union', of: { sets: [everybody], ranges: [] } };

/** A leaf over the person: who it is true of, and the set of those of whom it is known (everybody, unless it can be untold). */
type Leaf = { holds: Union | 'all'; known: number | undefined };

const sets = (numbers: Iterable<number | undefined>): Union => ({
  sets: [...new Set(numbers)].filter((no) => no !== undefined),
  ranges: [],
});

const regionLeaf = (within: string[] | typeof itemRegions, item: ItemFacts, { dictionary }: Vocabulary): Leaf => {
  if (within === itemRegions && item.regions.length === 0) return { holds: 'all', known: everybody };
  const codes = new Set(within === itemRegions ? item.regions : within.map((code) => facetValue('regions', code)));
  const lies = ([code]: [string, number]): boolean => liesIn(item.regionParents, code, codes);
  return { holds: sets([...dictionary.regions].filter(lies).map(([, no]) => no)), known: regionTold };
};

/** What contains a region, remembered as long as the office's table is the same. */
const outerRegions = new WeakMap<ParentOf, Map<string, string[]>>();
const liesIn = (parents: ParentOf, code: string, codes: ReadonlySet<string>): boolean => {
  let known = outerRegions.get(parents);
  if (!known) {
    known = new Map();
    outerRegions.set(parents, known);
  }
  let path = known.get(code);
  if (!path) {
    path = regionWithAncestors(parents, code);
    known.set(code, path);
  }
  return path.some((one) => codes.has(one));
};

const topicsAsked = (topic: string, item: ItemFacts): readonly string[] =>
  topic === itemTopics ? item.topics : [facetValue('topics', topic)];

const followsLeaf = (topic: string, item: ItemFacts, { topicParents }: RuleContext, words: Vocabulary): Leaf => {
  const slugs = new Set(topicsAsked(topic, item).flatMap((slug) => withAncestors(topicParents, slug)));
  const follows = [...slugs].flatMap((slug) => words.follows.ofTopic(slug));
  return { holds: sets(follows.map((no) => words.dictionary.follow(no))), known: everybody };
};

const interestLeaf = (
  { topic, atLeast }: { topic: string; atLeast: number },
  item: ItemFacts,
  { now }: RuleContext,
  words: Vocabulary,
): Leaf => {
  const asked = topicsAsked(topic, item);
  const from = thresholdLevel(atLeast, now);
  if (from === Number.NEGATIVE_INFINITY && asked.length > 0) return { holds: 'all', known: everybody };
  const ranges = [...new Set(asked)].flatMap((slug) => {
    const field = words.dictionary.interest(words.topics.get(slug) ?? -1);
    return field === undefined || from === Number.POSITIVE_INFINITY
      ? []
      : [{ field, from, to: Number.POSITIVE_INFINITY }];
  });
  return { holds: { sets: [], ranges }, known: everybody };
};

const ageHolds = ({ from, to }: { from?: number | undefined; to?: number | undefined }, year: number): Union => {
  const range = {
    field: birthYear,
    from: to === undefined ? Number.NEGATIVE_INFINITY : clampedValue(year - to),
    to: from === undefined ? Number.POSITIVE_INFINITY : clampedValue(year - from),
  };
  return { sets: [], ranges: [range] };
};

const leafOf = (leaf: PersonLeaf, item: ItemFacts, context: RuleContext, words: Vocabulary): Leaf => {
  const { dictionary } = words;
  switch (leaf.person) {
    case 'region':
      return regionLeaf(leaf.within, item, words);
    case 'place': {
      const there = dictionary
        .attributeValues(placeAttribute)
        .filter(([place]) => areasTouch(item.areas, String(place)));
      return { holds: sets(there.map(([, no]) => no)), known: dictionary.told(placeAttribute) };
    }
    case 'language': {
      const spoken = [...dictionary.languages].filter(([tag]) => leaf.in.some((range) => languageMatches(range, tag)));
      return { holds: sets(spoken.map(([, no]) => no)), known: everybody };
    }
    case 'age':
      return { holds: ageHolds(leaf, context.year), known: bornTold };
    case 'follows':
      return followsLeaf(leaf.topic, item, context, words);
    case 'interest':
      return interestLeaf(leaf, item, context, words);
    case 'channel':
      return { holds: sets(leaf.has.map((channel) => dictionary.channels.get(channel))), known: everybody };
    case 'activeWithin': {
      const from = dayOf(context.now) - leaf.days;
      return {
        holds: { sets: [], ranges: [{ field: activeDay, from, to: Number.POSITIVE_INFINITY }] },
        known: everybody,
      };
    }
    default: {
      const name = leaf.person.slice('attributes.'.length);
      return { holds: sets(leaf.in.map((value) => dictionary.attributeIs(name, value))), known: dictionary.told(name) };
    }
  }
};

const planOfLeaf = ({ holds, known }: Leaf, wanted: boolean): Plan => {
  if (holds === 'all') return wanted ? all : nobody;
  const isEmpty = holds.sets.length + holds.ranges.length === 0;
  if (wanted) return isEmpty ? nobody : { kind: 'union', of: holds };
  if (known === undefined) return nobody;
  return isEmpty ? { kind: 'union', of: { sets: [known], ranges: [] } } : { kind: 'rest', of: holds, within: known };
};

const isAll = (plan: Plan): boolean => plan.kind === 'union' && plan.of.sets.includes(everybody);

/** Everybody whom all the plans select. */
export const allOf = (plans: readonly Plan[]): Plan => {
  const parts = plans.flatMap((plan) => (plan.kind === 'all' ? plan.parts : [plan])).filter((plan) => !isAll(plan));
  if (parts.some(({ kind }) => kind === 'nobody')) return nobody;
  const [only] = parts;
  if (only === undefined) return all;
  return parts.length === 1 ? only : { kind: 'all', parts };
};

/** Everybody whom one of the plans selects; unions become one. */
const anyOf = (plans: readonly Plan[]): Plan => {
  const parts = plans.flatMap((plan) => (plan.kind === 'any' ? plan.parts : [plan]));
  if (parts.some(isAll)) return all;
  const unions = parts.flatMap((plan) => (plan.kind === 'union' ? [plan.of] : []));
  const others = parts.filter(({ kind }) => kind !== 'union' && kind !== 'nobody');
  const together: Union = { sets: unions.flatMap((one) => one.sets), ranges: unions.flatMap((one) => one.ranges) };
  const merged: Plan[] = unions.length === 0 ? others : [{ kind: 'union', of: together }, ...others];
  const [only] = merged;
  if (only === undefined) return nobody;
  return merged.length === 1 ? only : { kind: 'any', parts: merged };
};

/** A set by itself. */
export const setPlan = (no: number | undefined): Plan =>
  no === undefined ? nobody : { kind: 'union', of: { sets: [no], ranges: [] } };

/**
 * Who a condition is true of, for this item and moment, as a plan. Means the same as `evaluate` (rules/evaluate.ts), person
 * by person: `wanted` false asks whom it is *false* of, so that a negation is the same condition asked the other way round,
 * and whoever it is unknown of is in neither.
 */
export const compile = (
  condition: Condition,
  item: ItemFacts,
  context: RuleContext,
  words: Vocabulary,
  wanted = true,
): Plan => {
  const inner = (one: Condition): Plan => compile(one, item, context, words, wanted);
  if ('not' in condition) return compile(condition.not, item, context, words, !wanted);
  if ('all' in condition) return (wanted ? allOf : anyOf)(condition.all.map(inner));
  if ('any' in condition) return (wanted ? anyOf : allOf)(condition.any.map(inner));
  if ('item' in condition) return itemLeafHolds(condition, item) === wanted ? all : nobody;
  return planOfLeaf(leafOf(condition, item, context, words), wanted);
};
