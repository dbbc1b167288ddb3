import { DateTime } from 'luxon';
import type { ParentOf } from '../catalogue/topic.ts';
import type { PersonFacts } from '../profiles/person-facts.ts';
import type { ItemFacts } from '../subscriptions/matching.ts';
import type { Condition, ItemLeaf, PersonLeaf } from './condition.ts';
import { evaluate, itemLeafHolds, judge, type RuleContext, type Verdict } from './evaluate.ts';
import type { RuleContent } from './rule.ts';

/** The context of judging at `now` (ms) in an office whose clock stands in `timeZone` (IANA). */
export const ruleContext = (now: number, timeZone: string, topicParents: ParentOf): RuleContext => ({
  now,
  year: DateTime.fromMillis(now, { zone: timeZone }).year,
  topicParents,
});

/** Every leaf of a condition, in the order in which they are written. */
export const leavesOf = (condition: Condition): (ItemLeaf | PersonLeaf)[] => {
  if ('all' in condition) return condition.all.flatMap(leavesOf);
  if ('any' in condition) return condition.any.flatMap(leavesOf);
  if ('not' in condition) return leavesOf(condition.not);
  return [condition];
};

export const personLeavesOf = (condition: Condition): PersonLeaf[] =>
  leavesOf(condition).filter((leaf): leaf is PersonLeaf => 'person' in leaf);

/** Whether a condition asks about the item alone, as `when` must. */
export const itemOnly = (condition: Condition): boolean => personLeavesOf(condition).length === 0;

/** Whether an item is what a `when` asks for. A leaf over a person is unknown here. */
export const itemHolds = (when: Condition, item: ItemFacts): boolean =>
  judge(when, (leaf) => ('item' in leaf ? itemLeafHolds(leaf, item) : null)).holds === true;

const impersonal: readonly PersonLeaf['person'][] = ['region', 'place', 'language', 'channel'];

/**
 * Whether this item may reach people by this condition without their consent to personalisation: an emergency whose
 * condition asks of the person only region, language and channel (product: semantic 2), or the place that they told for this.
 */
export const needsNoConsent = (who: Condition, item: ItemFacts): boolean =>
  item.facets.urgency.has('emergency') && personLeavesOf(who).every(({ person }) => impersonal.includes(person));

/** Whether a rule selects a person for an item, and everything that this hangs on. */
export type Selection = {
  selected: boolean;
  when: Verdict;
  who: Verdict;
  /** Given, or not needed for this item and condition. */
  consent: boolean;
  /** Has a verified address that is not suppressed. */
  reachable: boolean;
};

/**
 * The oracle of a whole rule: `when` and `who` are true (unknown does not select), the person has consented or need not,
 * and can be reached (product: semantic 2; api: Rules and audiences).
 */
export const selects = (
  rule: Pick<RuleContent, 'when' | 'who'>,
  item: ItemFacts,
  person: PersonFacts,
  context: RuleContext,
): Selection => {
  const when = evaluate(rule.when, item, person, context);
  const who = evaluate(rule.who, item, person, context);
  const consent = person.personalisation || needsNoConsent(rule.who, item);
  const reachable = person.channels.length > 0;
  return { selected: when.holds === true && who.holds === true && consent && reachable, when, who, consent, reachable };
};
