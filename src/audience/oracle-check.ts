import { setImmediate } from 'node:timers/promises';
import { placeAttribute } from '../catalogue/areas/place.ts';
import type { CatalogueService } from '../catalogue/catalogue-service.ts';
import type { Edges } from '../edges.ts';
import type { PersonFacts } from '../profiles/person-facts.ts';
import { type ItemContent, noItem } from '../publishing/item.ts';
import { type Condition, itemAreas, itemRegions, itemTopics, type PersonLeaf } from '../rules/condition.ts';
import { evaluate, type RuleContext } from '../rules/evaluate.ts';
import type { RuleContent } from '../rules/rule.ts';
import { ruleContext, selects } from '../rules/selection.ts';
import type { Storage } from '../storage/storage.ts';
import { factsOfItem, followMatches, type ItemFacts } from '../subscriptions/matching.ts';
import type { AudienceIndexTools } from './audience-index.ts';
import { isMember, type PeopleSet } from './people-set.ts';
import { type StoredFacts, storedFacts } from './stored-facts.ts';

/** What one check asks at most: each question is one pass over the index, some milliseconds over a million people. */
const rulesAsked = 6;
const itemsAsked = 1;
const itemsDrawnFrom = 20;
/** Follows whose followers are looked up: of a matched follow it is also asked who has it. */
const followsAsked = 8;

/** Of these people, those whom the index judges otherwise than the evaluator does. */
type OracleQuestions = (tools: AudienceIndexTools, ordinals: readonly number[]) => Promise<number[]>;

export type OracleCheck = {
  /** Draws questions, the same for every time they are asked: some active rules and conditions, over some newest items. */
  draw(ordinals: readonly number[]): Promise<OracleQuestions>;
};

export type OracleStores = Pick<Storage, 'items' | 'rules' | 'subscriptions' | 'audience'>;
export type OracleTools = {
  catalogue: Pick<CatalogueService, 'trees'>;
  edges: Pick<Edges, 'now' | 'random'>;
  timeZone: string;
};

type Quiz = {
  items: { id: string; content: ItemContent }[];
  rules: Pick<RuleContent, 'when' | 'who'>[];
  conditions: Condition[];
};

/** A leaf of each kind that somebody's facts give rise to, and their opposites: what holds for nobody says little. */
const conditionsOf = ({ region, locale, attributes, topics, interests, channels }: PersonFacts): Condition[] => {
  const told = Object.entries(attributes).flatMap(([name, value]): PersonLeaf[] => {
    const [first] = [value].flat();
    return first === undefined ? [] : [{ person: `attributes.${name}`, in: [first] }];
  });
  const year = attributes.birthYear;
  const leaves: PersonLeaf[] = [
    { person: 'region', within: region === null ? itemRegions : [region] },
    { person: 'language', in: [locale] },
    { person: 'follows', topic: topics[0] ?? itemTopics },
    { person: 'interest', topic: Object.keys(interests)[0] ?? itemTopics, atLeast: 0.2 },
    { person: 'activeWithin', days: 30 },
    ...(channels.length > 0 ? [{ person: 'channel', has: channels.slice(0, 1) } as const] : []),
    ...(typeof year === 'number' ? [{ person: 'age', from: 18, to: 64 } as const] : []),
    ...(Object.hasOwn(attributes, placeAttribute) ? [{ person: 'place', within: itemAreas } as const] : []),
    ...told.slice(0, 2),
  ];
  return [...leaves, ...leaves.map((leaf): Condition => ({ not: leaf }))];
};

/** Whom the sets hold otherwise than it is right. */
const wronged = (set: PeopleSet, ordinals: readonly number[], isRight: (ordinal: number) => boolean): number[] =>
  ordinals.filter((ordinal) => isMember(set, ordinal) !== isRight(ordinal));

/**
 * Holds the index against the slow evaluator (rules/evaluate.ts) for a few people: what the index stores may be right and what
 * it answers wrong all the same.
 */
export const makeOracleCheck = (stores: OracleStores, { catalogue, edges, timeZone }: OracleTools): OracleCheck => {
  const some = <T>(values: readonly T[], count: number): T[] =>
    values
      .map((value) => ({ value, at: edges.random() }))
      .sort((a, b) => a.at - b.at)
      .slice(0, count)
      .map(({ value }) => value);

  const draw = async (ordinals: readonly number[]): Promise<Quiz> => {
    const { rows } = await stores.items.list({ state: 'published' }, { cursor: null, limit: itemsDrawnFrom });
    const items = rows.filter(({ content }) => content.visibility !== 'targeted');
    const people = [...(await storedFacts(stores, some(ordinals, 1))).values()];
    return {
      items: items.length > 0 ? some(items, itemsAsked) : [{ id: '', content: noItem }],
      rules: some(await stores.rules.active(), rulesAsked).map(({ content }) => content),
      conditions: people.flatMap(({ facts }) => conditionsOf(facts)),
    };
  };

  type Asking = {
    tools: AudienceIndexTools;
    ordinals: readonly number[];
    people: ReadonlyMap<number, StoredFacts>;
    item: ItemFacts;
    context: RuleContext;
  };

  const overConditions = async (
    { rules, conditions }: Quiz,
    { tools: { index }, ordinals, people, item, context }: Asking,
  ): Promise<number[]> => {
    const wrong: number[] = [];
    const holds = (judge: (facts: PersonFacts) => boolean) => (ordinal: number) => {
      const person = people.get(ordinal);
      return person !== undefined && judge(person.facts);
    };
    for (const rule of rules) {
      const right = holds((facts) => selects(rule, item, facts, context).selected);
      wrong.push(...wronged(index.selectRule(rule, item, context), ordinals, right));
      await setImmediate();
    }
    // without consent and reach there is more to be seen of a rule
    for (const one of [...rules.map(({ who }) => who), ...conditions]) {
      const right = holds((facts) => evaluate(one, item, facts, context).holds === true);
      wrong.push(...wronged(index.select(one, item, context), ordinals, right));
      await setImmediate();
    }
    return wrong;
  };

  const overFollows = ({ tools, ordinals, people, item }: Asking): number[] => {
    const found = new Map(tools.matching(item).map(({ key, no }) => [key, no]));
    const held = [...people].flatMap(([ordinal, { follows }]) => follows.map((follow) => ({ ordinal, follow })));
    const missed = held.filter(({ follow }) => found.has(follow.follow) !== followMatches(follow.definition, item));
    const keys = [...new Set(held.map(({ follow }) => follow.follow))].filter((key) => found.has(key));
    const misheld = keys.slice(0, followsAsked).flatMap((key) => {
      const right = (ordinal: number) => people.get(ordinal)?.follows.some(({ follow }) => follow === key) ?? false;
      return wronged(tools.followers(found.get(key) ?? 0), ordinals, right);
    });
    return [...missed.map(({ ordinal }) => ordinal), ...misheld];
  };

  return {
    draw: async (drawnFor) => {
      const quiz = await draw(drawnFor);
      return async (tools, ordinals) => {
        const people = await storedFacts(stores, ordinals);
        const trees = await catalogue.trees();
        const context = ruleContext(edges.now(), timeZone, trees.topicParents);
        const wrong = new Set<number>();
        for (const { id, content } of quiz.items) {
          const asking = { tools, ordinals, people, item: factsOfItem(id, content, trees), context };
          for (const ordinal of await overConditions(quiz, asking)) wrong.add(ordinal);
          for (const ordinal of overFollows(asking)) wrong.add(ordinal);
        }
        return [...wrong];
      };
    },
  };
};
