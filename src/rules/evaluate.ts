import { areasTouch, placeAttribute } from '../catalogue/areas/place.ts';
import { regionWithAncestors } from '../catalogue/region.ts';
import { type ParentOf, withAncestors } from '../catalogue/topic.ts';
import { reaches } from '../profiles/interest.ts';
import type { PersonFacts } from '../profiles/person-facts.ts';
import { fold } from '../publishing/fold.ts';
import { urgencies } from '../publishing/item.ts';
import { facetValue } from '../subscriptions/follow.ts';
import type { ItemFacts } from '../subscriptions/matching.ts';
import { type Condition, type ItemLeaf, itemRegions, itemTopics, type PersonLeaf } from './condition.ts';

/** **Kleene value**: true, false, or null where it cannot be known. */
export type Kleene = boolean | null;

/** **verdict**: whether a condition holds, and the same of every condition inside it, in their order. */
export type Verdict = { condition: Condition; holds: Kleene; parts: Verdict[] };

/**
 * What a judgement depends on besides item and person. `now` in ms; `year`: the calendar year in the office's time zone
 * (TIME_ZONE), from which ages count: one year for everybody, so that an audience does not change by where people live.
 */
export type RuleContext = { now: number; year: number; topicParents: ParentOf };

const dayMs = 24 * 60 * 60 * 1000;
/** Days since 1970 UTC. */
export const dayOf = (at: number): number => Math.floor(at / dayMs);

export const kleeneNot = (value: Kleene): Kleene => (value === null ? null : !value);
export const kleeneAll = (values: readonly Kleene[]): Kleene =>
  values.includes(false) ? false : values.includes(null) ? null : true;
export const kleeneAny = (values: readonly Kleene[]): Kleene =>
  values.includes(true) ? true : values.includes(null) ? null : false;

// a fixed language: where a word ends must not depend on the machine's
const words = new Intl.Segmenter('en', { granularity: 'word' });
const han = /\p{Script=Han}/u;

/** Whether folded `text` holds the folded `word` with a word's boundary (Unicode UAX #29) on both sides. */
const holdsWholeWord = (text: string, word: string): boolean => {
  const segments = words.segment(text);
  const isBoundary = (at: number): boolean => at >= text.length || segments.containing(at)?.index === at;
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1))
    if (isBoundary(at) && isBoundary(at + word.length)) return true;
  return false;
};

const textContains = (texts: readonly string[], wanted: string): boolean => {
  const word = fold(wanted);
  return texts.map(fold).some((text) => (han.test(word) ? text.includes(word) : holdsWholeWord(text, word)));
};

/** What an item says of itself: two-valued, what it lacks is false. Values are compared in the form of facetValue. */
export const itemLeafHolds = (leaf: ItemLeaf, item: ItemFacts): boolean => {
  switch (leaf.item) {
    case 'topics':
    case 'regions':
    case 'audiences':
    case 'keywords':
      return leaf.has.some((value) => item.facets[leaf.item].has(facetValue(leaf.item, value)));
    case 'category':
    case 'department':
    case 'documentType':
    case 'language':
      return leaf.in.some((value) => item.facets[leaf.item].has(facetValue(leaf.item, value)));
    case 'urgency':
      return urgencies.slice(urgencies.indexOf(leaf.atLeast)).some((urgency) => item.facets.urgency.has(urgency));
    case 'text':
      return leaf.contains.some((word) => textContains(item.text, word));
  }
};

/** RFC 4647 section 3.3.1: a range matches a tag that is it or begins with it and a hyphen; `*` matches every tag. */
export const languageMatches = (range: string, tag: string): boolean => {
  const [wanted, held] = [range.toLowerCase(), tag.toLowerCase()];
  return wanted === '*' || held === wanted || held.startsWith(`${wanted}-`);
};

const regionHolds = (within: string[] | typeof itemRegions, item: ItemFacts, person: PersonFacts): Kleene => {
  if (within === itemRegions && item.regions.length === 0) return true;
  if (person.region === null) return null;
  const codes = within === itemRegions ? item.regions : within.map((code) => facetValue('regions', code));
  const path = regionWithAncestors(item.regionParents, person.region);
  return codes.some((code) => path.includes(code));
};

/** Unlike regions, areas are drawn by few items: an item without any concerns nobody by their place. */
const placeHolds = (item: ItemFacts, place: unknown): Kleene =>
  typeof place === 'string' ? areasTouch(item.areas, place) : null;

const told = (person: PersonFacts, name: string): PersonFacts['attributes'][string] | undefined =>
  Object.hasOwn(person.attributes, name) ? person.attributes[name] : undefined;

const ageHolds = (
  { from, to }: { from?: number | undefined; to?: number | undefined },
  born: unknown,
  year: number,
) => {
  if (typeof born !== 'number') return null;
  const age = year - born;
  return (from === undefined || age >= from) && (to === undefined || age <= to);
};

const attributeHolds = (values: (string | number)[], held: PersonFacts['attributes'][string] | undefined): Kleene =>
  held === undefined ? null : [held].flat().some((one) => values.includes(one));

const topicsAsked = (topic: string, item: ItemFacts): readonly string[] =>
  topic === itemTopics ? item.topics : [facetValue('topics', topic)];

/** What is known of a person: null where they have not told their region, their year of birth or the attribute. */
export const personLeafHolds = (
  leaf: PersonLeaf,
  item: ItemFacts,
  person: PersonFacts,
  context: RuleContext,
): Kleene => {
  switch (leaf.person) {
    case 'region':
      return regionHolds(leaf.within, item, person);
    case 'place':
      return placeHolds(item, told(person, placeAttribute));
    case 'language':
      return leaf.in.some((range) => languageMatches(range, person.locale));
    case 'age':
      return ageHolds(leaf, told(person, 'birthYear'), context.year);
    case 'follows':
      return topicsAsked(leaf.topic, item).some((topic) =>
        withAncestors(context.topicParents, topic).some((slug) => person.topics.includes(slug)),
      );
    case 'interest':
      return topicsAsked(leaf.topic, item).some((topic) =>
        reaches(Object.hasOwn(person.interests, topic) ? person.interests[topic] : null, leaf.atLeast, context.now),
      );
    case 'channel':
      return leaf.has.some((channel) => person.channels.includes(channel));
    case 'activeWithin':
      return person.lastActiveDay !== null && dayOf(context.now) - person.lastActiveDay <= leaf.days;
    default:
      return attributeHolds(leaf.in, told(person, leaf.person.slice('attributes.'.length)));
  }
};

/** Judges every condition by what `judge` says of its leaves; no short cuts, so that each has its own result. */
export const judge = (condition: Condition, leafHolds: (leaf: ItemLeaf | PersonLeaf) => Kleene): Verdict => {
  if ('all' in condition) {
    const parts = condition.all.map((one) => judge(one, leafHolds));
    return { condition, holds: kleeneAll(parts.map(({ holds }) => holds)), parts };
  }
  if ('any' in condition) {
    const parts = condition.any.map((one) => judge(one, leafHolds));
    return { condition, holds: kleeneAny(parts.map(({ holds }) => holds)), parts };
  }
  if ('not' in condition) {
    const part = judge(condition.not, leafHolds);
    return { condition, holds: kleeneNot(part.holds), parts: [part] };
  }
  return { condition, holds: leafHolds(condition), parts: [] };
};

/**
 * Whether a condition holds for this item and this person, in Kleene's three values: the one slow, obvious definition of
 * the rule language, which the audience index is held against. An empty `all` holds, an empty `any` does not.
 */
export const evaluate = (condition: Condition, item: ItemFacts, person: PersonFacts, context: RuleContext): Verdict =>
  judge(condition, (leaf) =>
    'item' in leaf ? itemLeafHolds(leaf, item) : personLeafHolds(leaf, item, person, context),
  );
