import type { IndexedPerson } from '../../src/audience/audience-store.ts';
import { regionWithAncestors } from '../../src/catalogue/region.ts';
import { withAncestors } from '../../src/catalogue/topic.ts';
import { thresholdLevel } from '../../src/profiles/interest.ts';
import { type Condition, itemRegions, itemTopics, type PersonLeaf } from '../../src/rules/condition.ts';
import { dayOf, languageMatches } from '../../src/rules/evaluate.ts';
import { context, item } from './rules.ts';
import { languages, topic, topicCount, trees } from './town.ts';

/** A person as other libraries take them: plain fields, regions with what contains them, interests by topic. */
export type Document = Record<string, unknown>;

export const documentOf = (person: IndexedPerson): Document => {
  const interests: Record<string, number> = {};
  for (let at = 0; at < person.interests.length; at += 2)
    interests[topic(person.interests[at] as number)] = person.interests[at + 1] as number;
  return {
    ordinal: person.ordinal,
    regionPath: person.region === null ? null : regionWithAncestors(trees.regionParents, person.region),
    locale: person.locale,
    ...person.attributes,
    consent: person.personalisation,
    reachable: person.channels.length > 0,
    channels: person.channels,
    topics: person.follows.filter((no) => no <= topicCount).map(topic),
    interests,
    lastActiveDay: person.lastActiveDay ?? -1,
  };
};

/**
 * What a leaf asks of a field, with all about trees and thresholds worked out beforehand, as it is for the index. `known`: the
 * field may be missing, and then neither the leaf nor its negation holds.
 */
export type Test = { field: string; known: boolean } & (
  | { kind: 'any'; values: (string | number)[] }
  | { kind: 'range'; from: number; to: number }
);

const testsOf = (leaf: PersonLeaf): Test[] => {
  const { now, year, topicParents } = context;
  switch (leaf.person) {
    case 'region':
      return [
        {
          field: 'regionPath',
          known: true,
          kind: 'any',
          values: [...(leaf.within === itemRegions ? item.regions : leaf.within)],
        },
      ];
    case 'language': {
      const spoken = [...new Set(languages)].filter((tag) => leaf.in.some((range) => languageMatches(range, tag)));
      return [{ field: 'locale', known: false, kind: 'any', values: spoken }];
    }
    case 'age':
      return [
        { field: 'birthYear', known: true, kind: 'range', from: year - (leaf.to ?? 200), to: year - (leaf.from ?? 0) },
      ];
    case 'follows': {
      const slugs = (leaf.topic === itemTopics ? item.topics : [leaf.topic]).flatMap((slug) =>
        withAncestors(topicParents, slug),
      );
      return [{ field: 'topics', known: false, kind: 'any', values: slugs }];
    }
    case 'interest':
      return (leaf.topic === itemTopics ? item.topics : [leaf.topic]).map((slug) => ({
        field: `interests.${slug}`,
        known: false,
        kind: 'range',
        from: thresholdLevel(leaf.atLeast, now),
        to: Number.MAX_SAFE_INTEGER,
      }));
    case 'channel':
      return [{ field: 'channels', known: false, kind: 'any', values: leaf.has }];
    case 'place':
      throw new Error('no document holds a map');
    case 'activeWithin':
      return [
        {
          field: 'lastActiveDay',
          known: false,
          kind: 'range',
          from: dayOf(now) - leaf.days,
          to: Number.MAX_SAFE_INTEGER,
        },
      ];
    default:
      return [{ field: leaf.person.slice('attributes.'.length), known: true, kind: 'any', values: leaf.in }];
  }
};

/** How a library says things; a condition is told in it by `translate`. */
export type Language<T> = { all(parts: T[]): T; any(parts: T[]): T; test(test: Test, wanted: boolean): T };

/** A condition in another language, negations at the leaves, so that what is unknown stays out of both. */
export const translate = <T>(condition: Condition, language: Language<T>, wanted = true): T => {
  if ('not' in condition) return translate(condition.not, language, !wanted);
  if ('all' in condition || 'any' in condition) {
    const parts = ('all' in condition ? condition.all : condition.any).map((one) => translate(one, language, wanted));
    return 'all' in condition === wanted ? language.all(parts) : language.any(parts);
  }
  if ('item' in condition) throw new Error('the rules here ask of the person alone');
  const tests = testsOf(condition).map((test) => language.test(test, wanted));
  const [only] = tests;
  if (only !== undefined && tests.length === 1) return only;
  return wanted ? language.any(tests) : language.all(tests);
};
