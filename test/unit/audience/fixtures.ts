import fc from 'fast-check';
import { type AudienceIndexTools, makeAudienceIndex } from '../../../src/audience/audience-index.ts';
import type { IndexedPerson, NumberedFollow } from '../../../src/audience/audience-store.ts';
import type { PersonFacts } from '../../../src/profiles/person-facts.ts';
import { defineFollow, type FollowRequest } from '../../../src/subscriptions/follow.ts';
import { person as personFacts } from '../rules/fixtures.ts';
import { topicParents } from '../subscriptions/fixtures.ts';

const topicSlugs = [...topicParents.keys()];

/** Every topic's number, not from 1 and not in order. */
export const topicNumbers = new Map(topicSlugs.map((slug, at) => [slug, 50 - 7 * at]));

const wishes: Pick<FollowRequest, 'target' | 'regions'>[] = [
  ...topicSlugs.flatMap((topic) => [
    { target: { topic }, regions: null },
    { target: { topic }, regions: ['110000'] },
    { target: { topic }, regions: ['110101', 'US'] },
  ]),
  { target: { item: 'item-1' }, regions: null },
  { target: { item: 'item-2' }, regions: null },
  { target: { search: { all: { keywords: ['a', 'b'] } } }, regions: null },
  { target: { search: { any: { keywords: ['a', 'c'] } } }, regions: ['hill'] },
  {
    target: { search: { all: { topics: ['services'] }, any: { category: ['a'], regions: ['110000', 'US'] } } },
    regions: null,
  },
  {
    target: { search: { all: { urgency: ['emergency'], keywords: ['c'] }, any: { keywords: ['a', 'b'] } } },
    regions: null,
  },
  { target: { search: { any: { language: ['en'], topics: ['rent'] } } }, regions: ['US-CA'] },
];

/** The distinct follows there are: each topic within three sets of regions, two items, five searches. */
export const follows: NumberedFollow[] = wishes.map((wish, at) => ({ no: at * 3 + 2, ...defineFollow(wish) }));
const topicOf = new Map(follows.flatMap(({ no, target }) => ('topic' in target ? [[no, target.topic] as const] : [])));
const others = follows.filter(({ no }) => !topicOf.has(no)).map(({ no }) => no);

/** A person as the index takes them in, and as the evaluator does. */
export type Twin = { indexed: IndexedPerson; facts: PersonFacts };

const twinOf = (facts: PersonFacts, ways: number[], few: number[]): Twin => {
  const { ordinal, region, locale, attributes, personalisation, channels, lastActiveDay } = facts;
  const ofTopics = facts.topics.map((slug, at) => {
    const choices = follows.filter(({ no }) => topicOf.get(no) === slug);
    return choices[(ways[at] ?? 0) % choices.length]?.no ?? 0;
  });
  const interests = Object.entries(facts.interests).flatMap(([slug, level]) => [topicNumbers.get(slug) ?? 0, level]);
  const indexed = {
    ordinal,
    region,
    locale,
    attributes,
    personalisation,
    channels,
    lastActiveDay,
    follows: [...ofTopics, ...few],
    interests,
  };
  return { indexed, facts };
};

export const withOrdinal = ({ indexed, facts }: Twin, ordinal: number): Twin => ({
  indexed: { ...indexed, ordinal },
  facts: { ...facts, ordinal },
});

export const twin: fc.Arbitrary<Twin> = fc
  .tuple(personFacts, fc.array(fc.nat(2), { minLength: 5, maxLength: 5 }), fc.uniqueArray(fc.constantFrom(...others)))
  .map(([facts, ways, few]) => twinOf(facts, ways, few));

/** Some people, over several blocks, with gaps. */
export const town: fc.Arbitrary<Twin[]> = fc
  .array(twin, { maxLength: 40 })
  .map((people) => people.map((one, at) => withOrdinal(one, 1 + at * 7_919)));

export const emptyIndex = (): AudienceIndexTools => {
  const tools = makeAudienceIndex();
  tools.addFollows(follows);
  tools.setTopics(topicNumbers);
  return tools;
};

export const indexOf = (people: readonly Twin[]): AudienceIndexTools => {
  const tools = emptyIndex();
  for (const { indexed } of people) tools.load(indexed);
  tools.loaded();
  return tools;
};
