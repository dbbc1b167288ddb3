import fc from 'fast-check';
import type { PersonFacts } from '../../../src/profiles/person-facts.ts';
import type { Condition } from '../../../src/rules/condition.ts';
import { evaluate, type Kleene, kleeneAll, kleeneAny, kleeneNot, type Verdict } from '../../../src/rules/evaluate.ts';
import * as arbitrary from './fixtures.ts';
import { context, makeItem, makePerson } from './fixtures.ts';

const yes: Condition = { person: 'channel', has: ['email'] };
const no: Condition = { person: 'channel', has: ['sms'] };
const unknown: Condition = { person: 'age', from: 1 };

describe('all, any and not', () => {
  const table: [string, Condition, Kleene][] = [
    ['all of nothing', { all: [] }, true],
    ['any of nothing', { any: [] }, false],
    ['all: yes and yes', { all: [yes, yes] }, true],
    ['all: yes and unknown', { all: [yes, unknown] }, null],
    ['all: no and unknown', { all: [unknown, no] }, false],
    ['any: no and unknown', { any: [no, unknown] }, null],
    ['any: yes and unknown', { any: [unknown, yes] }, true],
    ['any: no and no', { any: [no, no] }, false],
    ['not unknown', { not: unknown }, null],
    ['not yes', { not: yes }, false],
    ['unknown or not unknown', { any: [unknown, { not: unknown }] }, null],
  ];
  it.each(table)('%s', (_what, condition, expected) => {
    expect(evaluate(condition, makeItem(), makePerson(), context).holds).toBe(expected);
  });

  it('give every condition its own result, without short cuts', () => {
    const condition: Condition = { all: [no, { any: [yes, unknown] }, { not: unknown }] };
    const shape = ({ holds: result, parts }: Verdict): unknown =>
      parts.length > 0 ? [result, parts.map(shape)] : result;
    expect(shape(evaluate(condition, makeItem(), makePerson(), context))).toEqual([
      false,
      [false, [true, [true, null]], [null, [null]]],
    ]);
  });
});

describe('Kleene’s logic', () => {
  const value = fc.constantFrom<Kleene[]>(true, false, null);
  const values = fc.array(value, { maxLength: 5 });

  it('has De Morgan’s laws and a double not', () => {
    fc.assert(
      fc.property(values, (list) => {
        expect(kleeneNot(kleeneAll(list))).toBe(kleeneAny(list.map(kleeneNot)));
        expect(kleeneNot(kleeneAny(list))).toBe(kleeneAll(list.map(kleeneNot)));
        for (const one of list) expect(kleeneNot(kleeneNot(one))).toBe(one);
      }),
    );
  });

  it('is indifferent to order, grouping and repetition', () => {
    fc.assert(
      fc.property(values, values, (a, b) => {
        for (const join of [kleeneAll, kleeneAny]) {
          expect(join([...a, ...b])).toBe(join([...b, ...a]));
          expect(join([...a, ...b])).toBe(join([join(a), join(b)]));
          expect(join([...a, ...a])).toBe(join(a));
        }
      }),
    );
  });

  it('keeps what it said when something unknown is told: true and false stand in whatever it turns out to be', () => {
    const tell = (list: Kleene[], told: boolean[]): Kleene[] => list.map((one, index) => one ?? told[index] ?? true);
    fc.assert(
      fc.property(values, fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }), (list, told) => {
        for (const join of [kleeneAll, kleeneAny])
          if (join(list) !== null) expect(join(tell(list, told))).toBe(join(list));
      }),
    );
  });
});

describe('conditions of any shape', () => {
  const judged = (condition: Condition, item: ReturnType<typeof makeItem>, person: PersonFacts): Kleene =>
    evaluate(condition, item, person, context).holds;
  const { condition, item, person } = arbitrary;

  it('obey De Morgan', () => {
    fc.assert(
      fc.property(fc.array(condition, { maxLength: 3 }), item, person, (parts, facts, somebody) => {
        expect(judged({ not: { all: parts } }, facts, somebody)).toBe(
          judged({ any: parts.map((one) => ({ not: one })) }, facts, somebody),
        );
      }),
    );
  });

  it('never turn round when somebody tells more about themselves', () => {
    const told = { region: '110101', attributes: { birthYear: 1980, occupation: ['teacher'] } };
    fc.assert(
      fc.property(condition, item, person, (one, facts, somebody) => {
        const before = judged(one, facts, { ...somebody, region: null, attributes: {} });
        if (before !== null) expect(judged(one, facts, { ...somebody, ...told })).toBe(before);
      }),
    );
  });

  it('are two-valued where only the item is asked', () => {
    fc.assert(
      fc.property(arbitrary.itemLeaf, item, person, (leaf, facts, somebody) => {
        expect(judged(leaf, facts, somebody)).not.toBeNull();
      }),
    );
  });
});
