import type { Keyring } from '../../keyring.ts';
import { firstOf, settingOf } from '../../rules/arms.ts';
import type { RuleContent } from '../../rules/rule.ts';
import type { RuleStore } from '../../rules/rule-store.ts';
import type { ChannelName } from '../../subscriptions/follow.ts';
import type { Recipient, Subscription } from '../../subscriptions/subscriber.ts';
import type { SubscriptionStore } from '../../subscriptions/subscription-store.ts';
import type { Reason } from '../policy.ts';
import type { PushContext, Suggestion } from './push-context.ts';
import type { Unit } from './rows.ts';
import { type DrawOf, drawsFor, type RuleDraw } from './tuned.ts';

/** Whom these people are today, by the ordinal they had in the plan: after merges, whoever they became one with. */
export const presentPeople = async (
  subscriptions: Pick<SubscriptionStore, 'recipients'>,
  units: Unit[],
): Promise<Map<number, Recipient>> => {
  const planned = [...new Set(units.map((unit) => unit.ordinal))];
  const known = new Map<number, Recipient>();
  // each round finds somebody new or is the last: a ring, which only a fault of ours could make, ends it too
  for (let asked = planned; asked.length > 0; ) {
    const found = await subscriptions.recipients(asked);
    for (const person of found) known.set(person.ordinal, person);
    asked = [...new Set(found.flatMap((person) => person.mergedInto ?? []))].filter((ordinal) => !known.has(ordinal));
  }
  const present = planned.map((ordinal) => [ordinal, heirOf(known, ordinal)] as const);
  return new Map(present.flatMap(([ordinal, person]) => (person ? [[ordinal, person] as const] : [])));
};

const heirOf = (known: Map<number, Recipient>, ordinal: number): Recipient | undefined => {
  let person = known.get(ordinal);
  const seen = new Set<Recipient>();
  while (person && person.mergedInto !== null && !seen.has(person)) {
    seen.add(person);
    person = known.get(person.mergedInto);
  }
  return person;
};

/**
 * The reasons of a unit that still hold for the person it has become: follows that were stopped or narrowed drop out, rules
 * that were paused or opted out of, whatever needs a consent that was taken back, and tuned rules whose draw keeps the person out
 * (`draws` names them, with those that let them in).
 */
export type ReasonsOf = (unit: Unit, person: Recipient) => { reasons: Reason[]; draws: RuleDraw[] };

/** What holds now: subscriptions by person and follow, opt-outs by person and rule, the rules that still select. */
type Present = {
  held: Map<string, Subscription>;
  optedOut: ReadonlySet<string>;
  active: ReadonlySet<string>;
  drawOf: DrawOf;
};

/** Reads what these people follow of the push's sources and what they opted out of, in one read each. */
export const presentReasons = async (
  stores: { subscriptions: Pick<SubscriptionStore, 'holding' | 'optOuts'>; rules: Pick<RuleStore, 'get'> },
  context: PushContext,
  units: Unit[],
  people: Map<number, Recipient>,
  keyring: Pick<Keyring, 'mac'>,
): Promise<ReasonsOf> => {
  const follows = new Set(
    units.flatMap((unit) => unit.sources.flatMap((index) => context.sources[index]?.follow ?? [])),
  );
  const ordinals = new Set([...people.values()].map((person) => person.ordinal));
  const held = follows.size > 0 ? await stores.subscriptions.holding([...follows], [...ordinals]) : [];
  const suggests = context.suggestions.size > 0;
  const optOuts = suggests ? await stores.subscriptions.optOuts([...ordinals]) : [];
  const present: Present = {
    held: new Map(held.map((one) => [`${one.subscriber} ${one.follow}`, one])),
    optedOut: new Set(optOuts.map((one) => `${one.subscriber} ${one.rule}`)),
    active: await activeRules(stores.rules, context),
    drawOf: drawsFor(keyring, context, units),
  };
  return (unit, person) => {
    const draws: RuleDraw[] = [];
    const reasons = unit.sources.flatMap((index) => reasonOf(context, index, person, unit, present, draws));
    return { reasons, draws };
  };
};

const activeRules = async (rules: Pick<RuleStore, 'get'>, context: PushContext): Promise<Set<string>> => {
  const named = new Set([...context.suggestions.values()].flatMap(({ rule }) => rule?.rule ?? []));
  const found = await Promise.all([...named].map((id) => rules.get(id)));
  return new Set(found.flatMap((rule) => (rule?.state === 'active' ? [rule.id] : [])));
};

/** A suggestion drops out without consent, by an opt-out of the rule or of everything, and when its rule is paused. */
const suggestionOf = (
  source: number,
  { rule, needsConsent }: Suggestion,
  person: Recipient,
  { optedOut, active }: Present,
  channels: ChannelName[] | null,
  draw: () => RuleDraw | null,
): Reason[] => {
  if (needsConsent && !person.consents.personalisation) return [];
  if (person.stoppedAll) return [];
  if (rule === null) return [{ kind: 'condition', source, channels }];
  if (optedOut.has(`${person.ordinal} ${rule.rule}`) || !active.has(rule.rule)) return [];
  const drawn = draw();
  return drawn?.passes === false ? [] : [ruleReason(source, rule.content, drawn)];
};

/** A rule as a reason: as its publisher wrote it, but for what was drawn for this person. */
const ruleReason = (source: number, content: RuleContent, draw: RuleDraw | null): Reason => {
  const { channels, pace, priority } = content.deliver;
  const arms = draw?.suggestion.arms.arms;
  const { drawn }: Pick<RuleDraw, 'drawn'> = draw ?? { drawn: {} };
  const first = drawn.channels === undefined ? undefined : arms?.channels?.[drawn.channels]?.value;
  const weight = drawn.weight === undefined ? undefined : arms?.weight?.[drawn.weight]?.value;
  const hour = drawn.hour === undefined ? undefined : arms?.hour?.[drawn.hour]?.value;
  return {
    kind: 'rule',
    source,
    pace,
    priority,
    channels: first === undefined ? channels : firstOf(channels, first),
    weight: weight ?? settingOf(content, 'weight') ?? 1,
    holdout: content.holdout,
    hour: (hour ?? settingOf(content, 'hour')) === 'preferred',
  };
};

const reasonOf = (
  context: PushContext,
  index: number,
  person: Recipient,
  unit: Unit,
  present: Present,
  draws: RuleDraw[],
): Reason[] => {
  const source = context.sources[index];
  if (!source) return [];
  if (index === context.toldSource) {
    const channel = context.told.get(person.ordinal) ?? context.told.get(unit.ordinal);
    return channel ? [{ kind: 'told', source: index, channel }] : [];
  }
  const suggestion = context.suggestions.get(index);
  if (suggestion)
    return suggestionOf(index, suggestion, person, present, context.push.channels, () => {
      const draw = present.drawOf(index, unit, person);
      if (draw) draws.push(draw);
      return draw;
    });
  if (source.follow === null) return [{ kind: 'named', source: index, channels: context.push.channels }];
  const subscription = present.held.get(`${person.ordinal} ${source.follow}`);
  return subscription
    ? [{ kind: 'subscription', source: index, pace: subscription.pace, channels: subscription.channels }]
    : [];
};
