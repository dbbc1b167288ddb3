import fc from 'fast-check';
import type { Area } from '../../../src/catalogue/areas/area.ts';
import { levelOf, scaledWeight } from '../../../src/profiles/interest.ts';
import type { PersonFacts } from '../../../src/profiles/person-facts.ts';
import type { ItemContent } from '../../../src/publishing/item.ts';
import type { Condition, ItemLeaf, PersonLeaf } from '../../../src/rules/condition.ts';
import { dayOf, type RuleContext } from '../../../src/rules/evaluate.ts';
import { ruleContext } from '../../../src/rules/selection.ts';
import { factsOfItem, type ItemFacts } from '../../../src/subscriptions/matching.ts';
import { makeContent, regionParents, topicParents, trees } from '../subscriptions/fixtures.ts';

export const now = Date.parse('2026-06-10T04:00:00Z');
export const context: RuleContext = ruleContext(now, 'Asia/Shanghai', topicParents);
export const today = dayOf(now);

/** The level of an interest that weighs `sum` now (5 is an interest of one half). */
export const level = (sum: number): number => levelOf(scaledWeight(sum, now)) ?? Number.NaN;

/** Somebody who has told nothing, follows nothing, did nothing; reachable by email, with consent. */
export const makePerson = (facts: Partial<PersonFacts> = {}): PersonFacts => ({
  ordinal: 1,
  region: null,
  locale: 'en',
  attributes: {},
  personalisation: true,
  channels: ['email'],
  topics: [],
  interests: {},
  lastActiveDay: null,
  ...facts,
});

export const makeItem = (content: Partial<ItemContent> = {}): ItemFacts =>
  factsOfItem('item-1', makeContent(content), trees);

const topics = [...topicParents.keys()];
const regions = [...regionParents.keys()];
const some = <T>(values: readonly T[], most = 3) =>
  fc.array(fc.constantFrom(...values), { minLength: 1, maxLength: most });

export const itemLeaf: fc.Arbitrary<ItemLeaf> = fc.oneof(
  fc.record({ item: fc.constant('topics' as const), has: some(topics) }),
  fc.record({ item: fc.constant('regions' as const), has: some(regions) }),
  fc.record({ item: fc.constantFrom('audiences' as const, 'keywords' as const), has: some(['a', 'b', 'c']) }),
  fc.record({ item: fc.constant('category' as const), in: some(['a', 'b', 'c']) }),
  fc.record({ item: fc.constant('urgency' as const), atLeast: fc.constantFrom('routine', 'important', 'emergency') }),
  fc.record({ item: fc.constant('text' as const), contains: some(['title', 'rent', '住房']) }),
);
const personLeaf: fc.Arbitrary<PersonLeaf> = fc.oneof(
  fc.record({
    person: fc.constant('region' as const),
    within: fc.oneof(some(regions), fc.constant('item.regions' as const)),
  }),
  fc.record({ person: fc.constant('language' as const), in: some(['en', 'zh', 'zh-CN', '*']) }),
  fc.constant({ person: 'place' as const, within: 'item.areas' as const }),
  fc.record({ person: fc.constant('age' as const), from: fc.integer({ min: 0, max: 80 }) }),
  fc.record({ person: fc.constant('attributes.occupation' as const), in: some(['teacher', 'farmer', 'other']) }),
  fc.record({ person: fc.constant('follows' as const), topic: fc.constantFrom(...topics, 'item.topics') }),
  fc.record({
    person: fc.constant('interest' as const),
    topic: fc.constantFrom(...topics, 'item.topics'),
    atLeast: fc.constantFrom(0, 0.1, 0.4, 0.8),
  }),
  fc.record({ person: fc.constant('channel' as const), has: some(['email', 'sms', 'webPush'] as const) }),
  fc.record({ person: fc.constant('activeWithin' as const), days: fc.integer({ min: 1, max: 30 }) }),
);

/** Conditions up to five deep, empty groups among them. */
export const condition: fc.Arbitrary<Condition> = fc.letrec<{ node: Condition }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4, depthSize: 'medium' },
    itemLeaf,
    personLeaf,
    fc.record({ all: fc.array(tie('node'), { maxLength: 3 }) }),
    fc.record({ any: fc.array(tie('node'), { maxLength: 3 }) }),
    fc.record({ not: tie('node') }),
  ),
})).node;

export const person: fc.Arbitrary<PersonFacts> = fc
  .record({
    region: fc.option(fc.constantFrom(...regions)),
    locale: fc.constantFrom('en', 'zh-CN'),
    attributes: fc.record(
      {
        birthYear: fc.integer({ min: 1940, max: 2020 }),
        occupation: some(['teacher', 'farmer', 'other']),
        place: fc.constantFrom('30.02,113.13', '30.09,113.01', '-16.50,179.99'),
      },
      { requiredKeys: [] },
    ),
    personalisation: fc.boolean(),
    channels: fc.uniqueArray(fc.constantFrom('email' as const, 'sms' as const, 'webPush' as const)),
    topics: fc.uniqueArray(fc.constantFrom(...topics)),
    interests: fc.dictionary(fc.constantFrom(...topics), fc.integer({ min: -10, max: 60 })),
    lastActiveDay: fc.option(fc.integer({ min: today - 60, max: today })),
  })
  .map(makePerson);

const areas: Area[] = [
  { circles: [{ center: [113.13, 30.02], km: 3 }] },
  { circles: [{ center: [-179.9, -16.5], km: 20 }] },
];

export const item: fc.Arbitrary<ItemFacts> = fc
  .record({
    topics: fc.array(fc.constantFrom(...topics), { maxLength: 3 }),
    regions: fc.option(fc.array(fc.constantFrom(...regions), { maxLength: 3 }), { nil: undefined }),
    areas: fc.option(fc.subarray(areas), { nil: undefined }),
    keywords: fc.option(some(['a', 'b', 'c']), { nil: undefined }),
    category: fc.option(fc.constantFrom('a', 'b'), { nil: undefined }),
    urgency: fc.constantFrom('routine' as const, 'important' as const, 'emergency' as const),
    body: fc.option(fc.constantFrom('The rent rises.', '关于住房的通知'), { nil: undefined }),
  })
  .map(makeItem);
