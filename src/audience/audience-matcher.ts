import { DateTime } from 'luxon';
import type { CatalogueService } from '../catalogue/catalogue-service.ts';
import type { Edges } from '../edges.ts';
import type { ItemContent } from '../publishing/item.ts';
import { isTuned, type PublishedArms, withValue } from '../rules/arms.ts';
import type { Condition, PersonLeaf } from '../rules/condition.ts';
import type { RuleContext } from '../rules/evaluate.ts';
import { type RuleVersion, ruleSource } from '../rules/rule.ts';
import type { RuleStore } from '../rules/rule-store.ts';
import { personLeavesOf, ruleContext } from '../rules/selection.ts';
import { factsOfItem, type ItemFacts } from '../subscriptions/matching.ts';
import type { SubscriptionStore } from '../subscriptions/subscription-store.ts';
import type { TuningStore } from '../tuning/tuning-store.ts';
import type { AudienceIndex } from './audience-index.ts';
import { both, ordinalsOf, type PeopleSet, setOf, without } from './people-set.ts';

/** Where the index is asked for, with everything in it that was written before the call (index-keeper.ts). */
export type AudienceSource = {
  /** Throws `index-building` while there is none. */
  caughtUp(): Promise<AudienceIndex>;
  /**
   * The index as it is, whatever was written since: for emergencies, which wait for nothing but the first index. While one
   * that was found wrong is made anew, that one: a few people's facts may be wrong in it, and the others are told in time.
   */
  asItStands(): Promise<AudienceIndex>;
  /** Says that it will be asked for: it is built, if it is not there. */
  prepare(): void;
};

/**
 * People who are selected, with the label of what selected them; of a rule or condition, the leaves that held for them. Of a tuned
 * rule everybody whom its lowest arm selects, and `arms`: the day of its arms, and whom each threshold selects.
 */
export type Matched = {
  source: string;
  follow: string | null;
  people: Iterable<number>;
  facts: { leaf: PersonLeaf; people: Iterable<number> }[];
  arms?: { day: string; cuts: { threshold: number; people: Iterable<number> }[] };
};

/** Whom an item concerns: by what people asked for and by the active rules, or by the condition of a publisher's own push. */
export type AudienceMatcher = {
  /** Follows by source and key, then rules. A targeted item concerns nobody. */
  matchItem(item: string, content: ItemContent, from: AskedIndex): Promise<Matched[]>;
  matchCondition(
    source: string,
    who: Condition,
    item: string,
    content: ItemContent,
    from: AskedIndex,
  ): Promise<Matched>;
  prepare(): void;
};

/** Which index is asked: with everything that was written before, or at once. */
export type AskedIndex = 'caught-up' | 'as-it-stands';

export type SelectionStores = {
  rules: Pick<RuleStore, 'active'>;
  subscriptions: Pick<SubscriptionStore, 'optedOut'>;
  tuning: Pick<TuningStore, 'armsOf'>;
};
export type SelectionTools = {
  catalogue: Pick<CatalogueService, 'trees'>;
  edges: Pick<Edges, 'now'>;
  timeZone: string;
};

/** A rule without a `when`: a condition asked by itself. */
export const always: Condition = { all: [] };

/** One question to the index: an item against the trees as they are, at this moment. */
export type Question = { index: AudienceIndex; item: ItemFacts; context: RuleContext };

/** Arms are good for some days more than theirs: a night without tuning is no day without a rule. */
const armsKeepDays = 3;
const dayMs = 24 * 60 * 60 * 1000;

/**
 * A rule that selects somebody: of a tuned one (`arms`) everybody whom its lowest arm selects; `from` answers whom it selects from
 * another threshold on.
 */
export type SelectedRule = {
  rule: RuleVersion;
  people: PeopleSet;
  who: Condition;
  arms: PublishedArms | null;
  from(threshold: number): PeopleSet;
};

/** What is selected the same way by planning, preview and dry run, so that they count the same people. */
export const makeSelection = (stores: SelectionStores, tools: SelectionTools) => {
  const localDay = (at: number): string => DateTime.fromMillis(at, { zone: tools.timeZone }).toISODate() ?? '';
  /** The arms by which rules are tuned today. An emergency tells everybody whom it is for, and waits for nothing more. */
  const armsOfToday = async (active: RuleVersion[], item: ItemFacts, now: number): Promise<PublishedArms[]> => {
    const tuned = active.filter(({ content }) => isTuned(content));
    if (tuned.length === 0 || item.facets.urgency.has('emergency')) return [];
    return stores.tuning.armsOf(tuned, localDay(now - armsKeepDays * dayMs), localDay(now));
  };

  return {
    ask: async (index: AudienceIndex, item: string, content: ItemContent): Promise<Question> => {
      const trees = await tools.catalogue.trees();
      return {
        index,
        item: factsOfItem(item, content, trees),
        context: ruleContext(tools.edges.now(), tools.timeZone, trees.topicParents),
      };
    },
    follows: ({ index, item }: Question): { source: string; follow: string; people: PeopleSet }[] => {
      const name = ({ source, key }: { source: string; key: string }): string => `${source} ${key}`;
      return index
        .matchItem(item)
        .sort((a, b) => (name(a) < name(b) ? -1 : 1))
        .map(({ source, key, people }) => ({ source, follow: key, people }));
    },
    /** Every active rule that selects somebody for the item, without those who opted out of it. */
    rules: async ({ index, item, context }: Question): Promise<SelectedRule[]> => {
      const selected: SelectedRule[] = [];
      const active = await stores.rules.active();
      const published = await armsOfToday(active, item, context.now);
      for (const rule of active) {
        const arms = published.find((one) => one.rule === rule.rule && one.version === rule.version) ?? null;
        const lowest = arms?.arms.threshold?.[0];
        const widest = lowest ? withValue(rule.content, 'threshold', lowest.value) : rule.content;
        const all = index.selectRule(widest, item, context);
        if (all.size === 0) continue;
        const optedOut = setOf(await stores.subscriptions.optedOut(rule.rule));
        const people = without(all, optedOut);
        const from = (threshold: number): PeopleSet =>
          without(index.selectRule(withValue(rule.content, 'threshold', threshold), item, context), optedOut);
        if (people.size > 0) selected.push({ rule, people, who: widest.who, arms, from });
      }
      return selected;
    },
  };
};

export type Selection = ReturnType<typeof makeSelection>;

/** The leaves of a condition over the person, each with those of the people of whom it holds. */
const factsOf = ({ index, item, context }: Question, who: Condition, people: PeopleSet): Matched['facts'] => {
  const leaves = new Map(personLeavesOf(who).map((leaf) => [JSON.stringify(leaf), leaf]));
  return [...leaves.values()].map((leaf) => ({
    leaf,
    people: ordinalsOf(both(index.select(leaf, item, context), people)),
  }));
};

const cutsOf = ({ arms }: PublishedArms, from: SelectedRule['from']) =>
  (arms.threshold ?? []).map(({ value }) => ({ threshold: value, people: ordinalsOf(from(value)) }));

const indexOf = (source: AudienceSource, from: AskedIndex): Promise<AudienceIndex> =>
  from === 'caught-up' ? source.caughtUp() : source.asItStands();

/** The one way from an item to the people whom it concerns, for planning. */
export const makeAudienceMatcher = (selection: Selection, source: AudienceSource): AudienceMatcher => ({
  prepare: source.prepare,
  matchItem: async (id, content, from) => {
    if (content.visibility === 'targeted') return [];
    const question = await selection.ask(await indexOf(source, from), id, content);
    const follows = selection
      .follows(question)
      .map((one): Matched => ({ ...one, people: ordinalsOf(one.people), facts: [] }));
    const rules = (await selection.rules(question)).map(
      ({ rule, people, who, arms, from: cut }): Matched => ({
        source: ruleSource(rule.rule, rule.version),
        follow: null,
        people: ordinalsOf(people),
        facts: factsOf(question, who, people),
        ...(arms ? { arms: { day: arms.day, cuts: cutsOf(arms, cut) } } : {}),
      }),
    );
    return [...follows, ...rules];
  },
  matchCondition: async (label, who, id, content, from) => {
    const question = await selection.ask(await indexOf(source, from), id, content);
    const people = question.index.selectRule({ when: always, who }, question.item, question.context);
    return { source: label, follow: null, people: ordinalsOf(people), facts: factsOf(question, who, people) };
  },
});
