import type { Recipient, Subscription } from '../../subscriptions/subscriber.ts';
import type { SubscriptionStore } from '../../subscriptions/subscription-store.ts';
import type { Reason } from '../policy.ts';
import type { PushContext } from './push-context.ts';
import type { Unit } from './rows.ts';

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

/** The reasons of a unit that still hold for the person it has become: follows that were stopped or narrowed drop out. */
export type ReasonsOf = (unit: Unit, person: Recipient) => Reason[];

/** Reads what these people follow of the push's sources, in one read. */
export const presentReasons = async (
  subscriptions: Pick<SubscriptionStore, 'holding'>,
  context: PushContext,
  units: Unit[],
  people: Map<number, Recipient>,
): Promise<ReasonsOf> => {
  const follows = new Set(
    units.flatMap((unit) => unit.sources.flatMap((index) => context.sources[index]?.follow ?? [])),
  );
  const ordinals = new Set([...people.values()].map((person) => person.ordinal));
  const held = follows.size > 0 ? await subscriptions.holding([...follows], [...ordinals]) : [];
  const byPerson = new Map(held.map((one) => [`${one.subscriber} ${one.follow}`, one]));
  return (unit, person) => unit.sources.flatMap((index) => reasonOf(context, index, person, unit.ordinal, byPerson));
};

const reasonOf = (
  context: PushContext,
  index: number,
  person: Recipient,
  ordinal: number,
  held: Map<string, Subscription>,
): Reason[] => {
  const source = context.sources[index];
  if (!source) return [];
  if (index === context.toldSource) {
    const channel = context.told.get(person.ordinal) ?? context.told.get(ordinal);
    return channel ? [{ kind: 'told', source: index, channel }] : [];
  }
  if (source.follow === null) return [{ kind: 'named', source: index, channels: context.push.channels }];
  const subscription = held.get(`${person.ordinal} ${source.follow}`);
  return subscription
    ? [{ kind: 'subscription', source: index, pace: subscription.pace, channels: subscription.channels }]
    : [];
};
