import { Engine, type NestedCondition } from 'json-rules-engine';
import { Query } from 'mingo';
import sift from 'sift';
import type { Condition } from '../../src/rules/condition.ts';
import { type Document, type Language, type Test, translate } from './documents.ts';

/** Another way to answer a rule: counts those of the documents whom it selects. */
export type Rival = { name: string; prepare(who: Condition): (documents: Document[]) => number | Promise<number> };

type Filter = Record<string, unknown>;

/** The query language of MongoDB, which mingo and sift speak. */
const queries: Language<Filter> = {
  all: (parts) => ({ $and: parts }),
  any: (parts) => ({ $or: parts }),
  test: (test, wanted) => {
    const { field } = test;
    if (test.kind === 'any') {
      if (wanted) return { [field]: { $in: test.values } };
      return test.known ? { [field]: { $ne: null, $nin: test.values } } : { [field]: { $nin: test.values } };
    }
    const within = { $gte: test.from, $lte: test.to };
    if (wanted) return { [field]: within };
    return test.known ? { [field]: { $ne: null, $not: within } } : { [field]: { $not: within } };
  },
};
const queryOf = (who: Condition): Filter => ({ consent: true, reachable: true, $and: [translate(who, queries)] });

type Predicate = (document: Document) => boolean;

const holds = (test: Test, value: unknown): boolean => {
  if (test.kind === 'range') return typeof value === 'number' && value >= test.from && value <= test.to;
  return Array.isArray(value) ? value.some((one) => test.values.includes(one)) : test.values.includes(value as string);
};

/** Closures over plain objects: what one would write by hand. */
const closures: Language<Predicate> = {
  all: (parts) => (document) => parts.every((part) => part(document)),
  any: (parts) => (document) => parts.some((part) => part(document)),
  test: (test, wanted) => {
    const [head = '', slug] = test.field.split(/\.(.*)/);
    return (document) => {
      const value = slug === undefined ? document[head] : (document[head] as Record<string, unknown>)[slug];
      if (test.known && value == null) return false;
      return holds(test, value) === wanted;
    };
  },
};

const conditions: Language<NestedCondition> = {
  all: (parts) => ({ all: parts }),
  any: (parts) => ({ any: parts }),
  test: (test, wanted) => ({
    fact: test.field,
    operator: wanted ? 'holds' : test.known ? 'isToldOtherwise' : 'isOtherwise',
    value: test,
  }),
};

/** The engine's own operators know neither lists in lists nor what is not told. */
const engineOf = (who: Condition): Engine => {
  const rule = {
    conditions: {
      all: [
        { fact: 'consent', operator: 'equal', value: true },
        { fact: 'reachable', operator: 'equal', value: true },
        translate(who, conditions),
      ],
    },
    event: { type: 'selected' },
  };
  const engine = new Engine([rule], { allowUndefinedFacts: true });
  engine.addOperator<unknown, Test>('holds', (value, test) => holds(test, value));
  engine.addOperator<unknown, Test>('isOtherwise', (value, test) => !holds(test, value));
  engine.addOperator<unknown, Test>('isToldOtherwise', (value, test) => value != null && !holds(test, value));
  return engine;
};

const factsOf = ({ interests, ...facts }: Document): Document => {
  const flat: Document = facts;
  for (const [slug, level] of Object.entries(interests as Record<string, number>)) flat[`interests.${slug}`] = level;
  return flat;
};

const counted = (documents: Document[], predicate: Predicate): number => {
  let count = 0;
  for (const document of documents) if (predicate(document)) count += 1;
  return count;
};

export const rivals: Rival[] = [
  {
    name: 'compiled scan',
    prepare: (who) => {
      const predicate = translate(who, closures);
      return (documents) =>
        counted(documents, (one) => one.consent === true && one.reachable === true && predicate(one));
    },
  },
  {
    name: 'sift',
    prepare: (who) => {
      const filter = sift.default(queryOf(who));
      return (documents) => counted(documents, (one) => filter(one));
    },
  },
  {
    name: 'mingo',
    prepare: (who) => {
      const query = new Query(queryOf(who));
      return (documents) => counted(documents, (one) => query.test(one));
    },
  },
  {
    name: 'json-rules-engine',
    prepare: (who) => {
      const engine = engineOf(who);
      return async (documents) => {
        let count = 0;
        for (const document of documents) if ((await engine.run(factsOf(document))).events.length > 0) count += 1;
        return count;
      };
    },
  },
];
