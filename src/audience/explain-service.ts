import type { CatalogueService } from '../catalogue/catalogue-service.ts';
import type { Locale } from '../catalogue/topic.ts';
import type { Edges } from '../edges.ts';
import { AppError } from '../errors.ts';
import type { Telling } from '../rules/because.ts';
import type { Condition } from '../rules/condition.ts';
import type { Kleene, Verdict } from '../rules/evaluate.ts';
import { becauseOf, factsUsed, reasonOf } from '../rules/reason.ts';
import { type RuleVersion, ruleSource } from '../rules/rule.ts';
import { ruleContext, selects } from '../rules/selection.ts';
import type { Storage } from '../storage/storage.ts';
import { factsOfItem, followMatches } from '../subscriptions/matching.ts';
import { presentPerson } from '../subscriptions/people.ts';
import { storedFacts } from './stored-facts.ts';

/** Why one person is, or is not, among those whom an item concerns. */
export type Explanation = {
  matched: boolean;
  /** `text` is null where the source has no words of its own (a follow): the reader's catalogue has them. */
  reasons: { source: string; text: string | null; facts: Record<string, string> }[];
  /** Every condition of the rules looked at, the outer before those inside it. */
  conditions: { rule: string; condition: Condition; holds: Kleene; because: string }[];
};

export type ExplainStores = Pick<Storage, 'items' | 'subscriptions' | 'audience' | 'rules'>;
export type ExplainTools = {
  catalogue: Pick<CatalogueService, 'trees' | 'attributes'>;
  edges: Pick<Edges, 'now'>;
  timeZone: string;
};

const flattened = (verdict: Verdict): Verdict[] => [verdict, ...verdict.parts.flatMap(flattened)];

/** Explains a match by the slow evaluator, which the index is held against. */
export const makeExplainService = (stores: ExplainStores, { catalogue, edges, timeZone }: ExplainTools) => {
  const rulesAsked = async (rule: string | null): Promise<RuleVersion[]> => {
    if (rule === null) return stores.rules.active();
    const found = await stores.rules.get(rule);
    if (!found) throw new AppError('not-found', `There is no rule ${rule}.`);
    return stores.rules.versions([{ rule, version: found.active ?? found.latest }]);
  };

  return {
    /** Throws `not-found`: an unknown item, person or rule. Without `rule`: subscriptions and every active rule. */
    explain: async (
      asked: { item: string; subscriber: string; rule: string | null },
      locale: Locale,
    ): Promise<Explanation> => {
      const item = await stores.items.get({ id: asked.item });
      if (!item) throw new AppError('not-found', `There is no item ${asked.item}.`);
      const person = await presentPerson(stores.subscriptions, { id: asked.subscriber });
      if (!person) throw new AppError('not-found', `There is no person ${asked.subscriber}.`);
      const trees = await catalogue.trees();
      const facts = factsOfItem(item.id, item.content, trees);
      const context = ruleContext(edges.now(), timeZone, trees.topicParents);
      const stored = (await storedFacts(stores, [person.ordinal])).get(person.ordinal);
      if (!stored) throw new AppError('not-found', `There is no person ${asked.subscriber}.`);
      const told = stored.facts;
      const telling: Telling = {
        locale,
        item: facts,
        person: told,
        context,
        trees,
        attributes: await catalogue.attributes(),
      };
      const isPublic = item.content.visibility !== 'targeted';
      const optOuts = new Set((await stores.subscriptions.optOuts([person.ordinal])).map((one) => one.rule));
      const follows =
        asked.rule === null && isPublic
          ? stored.follows.filter(({ definition }) => followMatches(definition, facts))
          : [];
      const judged = (await rulesAsked(asked.rule)).map((rule) => ({
        rule,
        chosen: selects(rule.content, facts, told, context),
      }));
      const selected = judged.filter(({ rule, chosen }) => isPublic && chosen.selected && !optOuts.has(rule.rule));
      return {
        matched: follows.length + selected.length > 0,
        reasons: [
          ...follows.map(({ definition, follow }) => ({ source: definition.source, text: null, facts: { follow } })),
          ...selected.map(({ rule, chosen }) => ({
            source: ruleSource(rule.rule, rule.version),
            text: `${rule.content.explanation[locale]} ${reasonOf(chosen.who, telling)}`,
            facts: factsUsed(chosen.who, telling),
          })),
        ],
        conditions: judged.flatMap(({ rule, chosen }) =>
          [chosen.when, chosen.who].flatMap(flattened).map((verdict) => ({
            rule: ruleSource(rule.rule, rule.version),
            condition: verdict.condition,
            holds: verdict.holds,
            because: becauseOf(verdict, telling),
          })),
        ),
      };
    },
  };
};

export type ExplainService = ReturnType<typeof makeExplainService>;
