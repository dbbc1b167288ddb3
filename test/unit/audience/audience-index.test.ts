import fc from 'fast-check';
import type { AudienceIndex, AudienceIndexTools } from '../../../src/audience/audience-index.ts';
import { ordinalsOf } from '../../../src/audience/people-set.ts';
import type { Condition } from '../../../src/rules/condition.ts';
import { evaluate } from '../../../src/rules/evaluate.ts';
import { selects } from '../../../src/rules/selection.ts';
import { followMatches, type ItemFacts } from '../../../src/subscriptions/matching.ts';
import { condition, context, item, itemLeaf, makeItem } from '../rules/fixtures.ts';
import { emptyIndex, follows, indexOf, type Twin, town, twin, withOrdinal } from './fixtures.ts';

const expected = (people: readonly Twin[], one: Condition, facts: ItemFacts): number[] =>
  people
    .filter((person) => evaluate(one, facts, person.facts, context).holds === true)
    .map((person) => person.facts.ordinal)
    .sort((a, b) => a - b);

const selected = (index: AudienceIndex, one: Condition, facts: ItemFacts): number[] => [
  ...ordinalsOf(index.select(one, facts, context)),
];

const countsOf = <T>(values: T[]): Map<T, number> => {
  const counts = new Map<T, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
};

const expectBreakdowns = (index: AudienceIndex, people: readonly Twin[], one: Condition, facts: ItemFacts): void => {
  const set = index.select(one, facts, context);
  const within = new Set(ordinalsOf(set));
  const inside = people.filter((person) => within.has(person.facts.ordinal)).map((person) => person.facts);
  expect(index.countBy('region', set)).toEqual(countsOf(inside.flatMap(({ region }) => region ?? [])));
  expect(index.countBy('language', set)).toEqual(countsOf(inside.map(({ locale }) => locale)));
  expect(index.countBy('channel', set)).toEqual(countsOf(inside.flatMap(({ channels }) => channels)));
  expect(index.reachable(set)).toBe(inside.filter(({ channels }) => channels.length > 0).length);
};

describe('the audience index', () => {
  it('selects whom the evaluator says, person by person', () => {
    fc.assert(
      fc.property(town, fc.array(fc.tuple(condition, item), { minLength: 5, maxLength: 5 }), (people, questions) => {
        const { index } = indexOf(people);
        for (const [one, facts] of questions) expect(selected(index, one, facts)).toEqual(expected(people, one, facts));
      }),
      { numRuns: 150 },
    );
  });

  it('selects by a rule whom the oracle of rules says', () => {
    fc.assert(
      fc.property(town, itemLeaf, condition, item, (people, when, who, facts) => {
        const { index } = indexOf(people);
        const chosen = people.filter((one) => selects({ when, who }, facts, one.facts, context).selected);
        expect([...ordinalsOf(index.selectRule({ when, who }, facts, context))]).toEqual(
          chosen.map((one) => one.facts.ordinal),
        );
      }),
      { numRuns: 100 },
    );
  });

  it('reaches by an emergency also those who gave no consent', () => {
    const person = fc.sample(twin, 1)[0] as Twin;
    const without = { ...person.indexed, personalisation: false, channels: ['sms' as const], locale: 'en' };
    const tools = emptyIndex();
    tools.put(without);
    const rule = { when: { all: [] }, who: { person: 'language' as const, in: ['en'] } };
    expect(tools.index.selectRule(rule, makeItem({ urgency: 'emergency' }), context).size).toBe(1);
    expect(tools.index.selectRule(rule, makeItem({ urgency: 'important' }), context).size).toBe(0);
  });

  it('breaks a set down by region, language and channel', () => {
    fc.assert(
      fc.property(town, condition, item, (people, one, facts) => {
        expectBreakdowns(indexOf(people).index, people, one, facts);
      }),
    );
  });

  it('finds the follows that an item matches, with everybody who has them', () => {
    fc.assert(
      fc.property(town, item, (people, facts) => {
        const found = indexOf(people).index.matchItem(facts);
        const wanted = follows
          .filter((follow) => followMatches(follow, facts))
          .map(({ no, key, source }) => {
            const having = people.filter(({ indexed }) => indexed.follows.includes(no));
            return { no, key, source, people: having.map((one) => one.indexed.ordinal) };
          })
          .filter((follow) => follow.people.length > 0);
        expect(found.map((one) => ({ ...one, people: [...ordinalsOf(one.people)] }))).toEqual(wanted);
      }),
      { numRuns: 150 },
    );
  });
});

type Step = { put: Twin } | { remove: number } | { settle: true };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(twin, fc.nat(9)).map(([one, at]) => ({ put: withOrdinal(one, 1 + at * 20_000) })) },
  { weight: 2, arbitrary: fc.nat(9).map((at) => ({ remove: 1 + at * 20_000 })) },
  { weight: 3, arbitrary: fc.constant({ settle: true as const }) },
);

const take = (tools: AudienceIndexTools, people: Map<number, Twin>, one: Step): void => {
  if ('put' in one) {
    tools.put(one.put.indexed);
    people.set(one.put.facts.ordinal, one.put);
  } else if ('remove' in one) {
    tools.remove(one.remove);
    people.delete(one.remove);
  } else tools.settle();
};

const sorted = (people: Map<number, Twin>): Twin[] =>
  [...people.values()].sort((a, b) => a.facts.ordinal - b.facts.ordinal);

describe('an audience index that follows changes', () => {
  it('is after each step what a new one would be, also while its blocks are made anew', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(twin, fc.nat(9)), { maxLength: 8 }),
        fc.array(step, { minLength: 1, maxLength: 30 }),
        fc.array(condition, { minLength: 3, maxLength: 3 }),
        item,
        (start, steps, conditions, facts) => {
          const people = new Map(start.map(([one, at]) => [1 + at * 20_000, withOrdinal(one, 1 + at * 20_000)]));
          const tools = indexOf(sorted(people));
          for (const one of steps) {
            take(tools, people, one);
            const now = sorted(people);
            expect(tools.index.people()).toBe(now.length);
            for (const asked of conditions)
              expect(selected(tools.index, asked, facts)).toEqual(expected(now, asked, facts));
          }
          const now = sorted(people);
          expectBreakdowns(tools.index, now, { all: [] }, facts);
          const whole = indexOf(now).index;
          const plain = (index: AudienceIndex) =>
            index.matchItem(facts).map(({ no, people: having }) => [no, ...ordinalsOf(having)]);
          expect(plain(tools.index)).toEqual(plain(whole));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('holds for thousands, when bits take the place of lists and changes fill the room there is', () => {
    const kinds = fc.sample(twin, { numRuns: 400, seed: 7 });
    const questions = fc.sample(fc.tuple(condition, item), { numRuns: 12, seed: 11 });
    const person = (ordinal: number, turn: number): Twin =>
      withOrdinal(kinds[(ordinal * 31 + turn * 17) % kinds.length] as Twin, ordinal);
    const people = new Map<number, Twin>();
    for (let ordinal = 60_000; ordinal < 69_000; ordinal += 1) people.set(ordinal, person(ordinal, 0));
    const tools = indexOf([...people.values()]);
    const check = (): void => {
      const now = sorted(people);
      for (const [one, facts] of questions)
        expect(selected(tools.index, one, facts)).toEqual(expected(now, one, facts));
    };
    check();
    for (let turn = 1; turn < 10_000; turn += 1) {
      const ordinal = 60_000 + ((turn * 7_919) % 11_000);
      if (turn % 5 === 0) take(tools, people, { remove: ordinal });
      else take(tools, people, { put: person(ordinal, turn) });
      if (turn % 4_200 === 0) check();
    }
    check();
    while (tools.settle());
    check();
  });
});
