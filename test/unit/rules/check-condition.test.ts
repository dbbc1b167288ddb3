import { defaultAttributes } from '../../../src/catalogue/attribute.ts';
import { conditionFaults, ruleFaults } from '../../../src/rules/check-condition.ts';
import type { Condition } from '../../../src/rules/condition.ts';
import { nearest } from '../../../src/rules/nearest.ts';
import { trees } from '../subscriptions/fixtures.ts';

const declared = { trees, attributes: defaultAttributes };
const faults = (condition: Condition, about: 'item' | 'person' = 'person') =>
  conditionFaults(condition, declared, { path: 'who', about });

describe('what a condition may name', () => {
  it.each<[string, Condition]>([
    ['topics', { item: 'topics', has: ['housing', ' rent '] }],
    ['regions', { item: 'regions', has: ['110101', 'hill'] }],
    ['regions of people', { person: 'region', within: ['US-CA'] }],
    [
      'the item’s own',
      {
        all: [
          { person: 'region', within: 'item.regions' },
          { person: 'follows', topic: 'item.topics' },
        ],
      },
    ],
    ['attributes', { person: 'attributes.occupation', in: ['teacher', 'farmer'] }],
    ['whole numbers', { person: 'attributes.birthYear', in: [1990] }],
    ['words of the publishers’ own', { item: 'keywords', has: ['anything'] }],
  ])('%s', (_what, condition) => {
    expect(faults(condition)).toEqual([]);
  });

  it.each<[string, Condition, path: string, message: string]>([
    [
      'a topic',
      { item: 'topics', has: ['rent', 'hosing'] },
      'who.has.1',
      'unknown topic: hosing; the nearest known is housing',
    ],
    [
      'a topic followed',
      { person: 'follows', topic: 'Rents' },
      'who.topic',
      'unknown topic: Rents; the nearest known is rent',
    ],
    [
      'a topic of interest',
      { person: 'interest', topic: 'item.topic', atLeast: 0.1 },
      'who.topic',
      'unknown topic: item.topic; the nearest known is item.topics',
    ],
    [
      'a region',
      { any: [{ not: { person: 'region', within: ['110201'] } }] },
      'who.any.0.not.within.0',
      'unknown region: 110201; the nearest known is 110101',
    ],
    [
      'a region of items',
      { item: 'regions', has: ['US-CB'] },
      'who.has.0',
      'unknown region: US-CB; the nearest known is US-CA',
    ],
    [
      'an attribute',
      { person: 'attributes.birthyear', in: [1990] },
      'who.person',
      'unknown attribute: birthyear; the nearest known is birthYear',
    ],
    [
      'an attribute by its title',
      { person: 'attributes.职业', in: ['teacher'] },
      'who.person',
      'unknown attribute: 职业; the nearest known is occupation',
    ],
    [
      'an inherited attribute',
      { person: 'attributes.toString', in: ['x'] },
      'who.person',
      'unknown attribute: toString; the nearest known is household',
    ],
    [
      'a value',
      { person: 'attributes.occupation', in: ['teacher', 'retierd'] },
      'who.in.1',
      'unknown value of occupation: retierd; the nearest known is retired',
    ],
    [
      'a number for a text',
      { person: 'attributes.occupation', in: [7] },
      'who.in.0',
      'must be a text: occupation has values of its own',
    ],
    [
      'a text for a number',
      { person: 'attributes.birthYear', in: ['1990'] },
      'who.in.0',
      'must be a whole number: birthYear is one',
    ],
  ])('not %s that is not declared', (_what, condition, path, message) => {
    expect(faults(condition)).toEqual([{ path, message }]);
  });

  it('asks about the item alone where it must, and then names every leaf that does not', () => {
    const person: Condition = { person: 'age', from: 18 };
    const message = 'must not ask about the person here, only the item';
    expect(faults({ all: [person, { item: 'topics', has: ['rent'] }, { not: person }] }, 'item')).toEqual([
      { path: 'who.all.0.person', message },
      { path: 'who.all.2.not.person', message },
    ]);
  });

  it('answers soon, however many names are unknown', () => {
    const titled = (n: number) => ({
      slug: `topic-${n}`,
      title: { en: `Topic ${n}`, 'zh-CN': `主题${n}` },
      parent: null,
    });
    const topics = Array.from({ length: 10_000 }, (_, n) => titled(n));
    const many = {
      ...declared,
      trees: { ...trees, topics, topicParents: new Map(topics.map(({ slug }) => [slug, null])) },
    };
    const leaf: Condition = { item: 'topics', has: Array.from({ length: 1_000 }, (_, n) => `strange-${n}`) };
    const found = conditionFaults({ all: [leaf, leaf, leaf] }, many, { path: 'who' });
    expect(found).toHaveLength(3_000);
    expect(found[0]?.message).toMatch(/nearest known is topic-/);
    expect(found.at(-1)?.message).toBe('unknown topic: strange-999');
  }, 5_000);
});

describe('the nearest name', () => {
  const known = [
    { name: 'housing', also: ['Housing', '住房'] },
    { name: 'transport', also: ['交通'] },
    { name: 'rent' },
  ];
  it.each([
    ['hosing', 'housing'],
    ['HOUSING', 'housing'],
    ['住房', 'housing'],
    ['tranpsort', 'transport'],
    ['rnt', 'rent'],
    ['tr', 'transport'],
  ])('of %j is %s', (wanted, name) => {
    expect(nearest(wanted, known)).toBe(name);
  });

  it('is none where nothing is known', () => {
    expect(nearest('x', [])).toBeNull();
  });
});

describe('the bounds of tuning', () => {
  const interest = (atLeast: number): Condition => ({ person: 'interest', topic: 'rent', atLeast });
  const found = (who: Condition, threshold?: [number, number]) =>
    ruleFaults({ when: { all: [] }, who, tune: { threshold } }, declared).map(({ path }) => path);

  it('hold the threshold as written', () => {
    expect(found(interest(0.4), [0.2, 0.6])).toEqual([]);
    expect(found({ any: [interest(0.1), { not: interest(0.5) }] }, [0.05, 0.2])).toEqual([]);
    expect(found(interest(0.4), [0.5, 0.6])).toEqual(['tune.threshold']);
    expect(found({ any: [interest(0.1), { not: interest(0.5) }] }, [0.5, 0.6])).toEqual(['tune.threshold']);
    expect(found({ all: [interest(0.5), interest(0.6)] }, [0.5, 0.6])).toEqual(['tune.threshold']);
    expect(found(interest(0.4))).toEqual([]);
    expect(found({ all: [] }, [0.5, 0.6])).toEqual([]);
  });
});
