import type { Condition, PersonLeaf } from '../../src/rules/condition.ts';
import { ruleContext } from '../../src/rules/selection.ts';
import { factsOfItem } from '../../src/subscriptions/matching.ts';
import { households, now, occupations, pick, provinces, randomFrom, topic, topicCount, trees } from './town.ts';

export const context = ruleContext(now, 'Asia/Shanghai', trees.topicParents);
export const item = factsOfItem(
  'item',
  {
    title: 'A bridge is closed',
    summary: 'The bridge over the river is closed until Friday.',
    language: 'en',
    topics: [topic(3), topic(100)],
    regions: [provinces[4] as string],
    keywords: ['keyword7', 'keyword19'],
    urgency: 'important',
    visibility: 'public',
  },
  trees,
);

type Draw = (random: () => number) => PersonLeaf;
const someTopic = (random: () => number): string => topic(1 + Math.floor(topicCount * random() ** 2));
const leaves: Record<string, Draw> = {
  region: (random) => ({ person: 'region', within: [pick(random, provinces), pick(random, provinces)] }),
  place: () => ({ person: 'region', within: 'item.regions' }),
  age: (random) => ({ person: 'age', from: 18 + Math.floor(random() * 20), to: 40 + Math.floor(random() * 40) }),
  job: (random) => ({ person: 'attributes.occupation', in: [pick(random, occupations), pick(random, occupations)] }),
  home: (random) => ({ person: 'attributes.household', in: [pick(random, households)] }),
  follows: (random) => ({ person: 'follows', topic: random() < 0.3 ? 'item.topics' : someTopic(random) }),
  interest: (random) => ({ person: 'interest', topic: someTopic(random), atLeast: pick(random, [0.1, 0.3, 0.5]) }),
  language: (random) => ({ person: 'language', in: [pick(random, ['zh', 'en', 'zh-HK'])] }),
  channel: (random) => ({ person: 'channel', has: [pick(random, ['sms', 'webPush', 'email'] as const)] }),
  active: (random) => ({ person: 'activeWithin', days: 7 + Math.floor(random() * 60) }),
};
const leaf = (name: string, random: () => number): Condition => (leaves[name] as Draw)(random);

/** One rule of three conditions, as a publisher would write it: who lives there, is of an age, and is interested. */
export const threeConditions: Condition = {
  all: [
    { person: 'region', within: [provinces[0] as string, provinces[20] as string] },
    { person: 'age', from: 25, to: 45 },
    { person: 'interest', topic: topic(12), atLeast: 0.3 },
  ],
};

const shapes: ((random: () => number) => Condition)[] = [
  (random) => ({ all: ['region', 'age', 'interest'].map((name) => leaf(name, random)) }),
  (random) => ({ all: ['follows', 'language', 'channel'].map((name) => leaf(name, random)) }),
  (random) => ({ any: ['interest', 'follows', 'place'].map((name) => leaf(name, random)) }),
  (random) => ({ all: [leaf('job', random), { not: leaf('home', random) }, leaf('active', random)] }),
  (random) => leaf('interest', random),
  (random) => ({ all: [{ any: [leaf('interest', random), leaf('interest', random)] }, leaf('region', random)] }),
  (random) => ({ all: ['place', 'home', 'channel'].map((name) => leaf(name, random)) }),
  (random) => ({ all: [leaf('interest', random), { not: { any: [leaf('follows', random), leaf('age', random)] } }] }),
  (random) => ({
    any: [
      { all: [leaf('job', random), leaf('age', random)] },
      { all: [leaf('home', random), leaf('interest', random)] },
    ],
  }),
  (random) => ({ all: ['region', 'job', 'interest', 'active', 'language'].map((name) => leaf(name, random)) }),
];

/** Fifty rules of ten shapes, one to five conditions each. */
export const mixedRules = (): Condition[] => {
  const random = randomFrom(2026);
  return Array.from({ length: 50 }, (_, at) => (shapes[at % shapes.length] as (typeof shapes)[number])(random));
};
