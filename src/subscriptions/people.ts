import { IANAZone } from 'luxon';
import { type AttributeValues, readAttributes } from '../catalogue/attribute.ts';
import type { Trees } from '../catalogue/catalogue-service.ts';
import type { Attribute } from '../catalogue/catalogue-store.ts';
import type { Fault } from '../errors.ts';
import type { Subscriber } from './subscriber.ts';
import type { SubscriptionStore } from './subscription-store.ts';

/** Longer chains of merges do not arise; the bound only ends a loop that a fault of ours would make. */
const mergesMost = 20;

/** The person that this one is now, after merges; null if they are unknown or erased. */
export const presentPerson = async (
  subscriptions: Pick<SubscriptionStore, 'subscriber'>,
  by: Parameters<SubscriptionStore['subscriber']>[0],
): Promise<Subscriber | null> => {
  let person = await subscriptions.subscriber(by);
  for (let step = 0; person && person.mergedInto !== null && step < mergesMost; step++)
    person = await subscriptions.subscriber({ ordinal: person.mergedInto });
  return person === null || person.erasedAt !== null ? null : person;
};

/** What a person has told once `told` is added to it; null takes an attribute away. Names every fault. */
export const readTold = (
  told: Record<string, AttributeValues[string] | null>,
  before: AttributeValues,
  declared: readonly Attribute[],
): { values: AttributeValues; faults: Fault[] } => {
  const given = Object.entries(told).filter((entry): entry is [string, AttributeValues[string]] => entry[1] !== null);
  const { values, faults } = readAttributes(Object.fromEntries(given), declared);
  const kept = Object.entries(before).filter(([name]) => told[name] !== null);
  return { values: { ...Object.fromEntries(kept), ...values }, faults };
};

/** Whether what is told of a person makes their digests come at another moment. */
export const movesDigests = (
  before: Pick<Subscriber, 'timeZone' | 'digestHour'>,
  { timeZone = before.timeZone, digestHour = before.digestHour }: Partial<Pick<Subscriber, 'timeZone' | 'digestHour'>>,
): boolean => timeZone !== before.timeZone || digestHour !== before.digestHour;

const timeOfDay = /^([01]\d|2[0-3]):[0-5]\d$/;

export type Facts = {
  region?: string | null | undefined;
  timeZone?: string | null | undefined;
  quietHours?: { from?: string | undefined; to?: string | undefined } | null | undefined;
};

/** What is wrong with a person's region, time zone and quiet hours; what is left out or null is right. */
export const factFaults = ({ region, timeZone, quietHours }: Facts, trees: Trees): Fault[] => [
  ...(region != null && !trees.regionParents.has(region)
    ? [{ path: 'region', message: `unknown region: ${region}` }]
    : []),
  ...(timeZone != null && !IANAZone.isValidZone(timeZone)
    ? [{ path: 'timeZone', message: `unknown time zone: ${timeZone}` }]
    : []),
  ...(['from', 'to'] as const)
    .filter((end) => !timeOfDay.test(quietHours?.[end] ?? '00:00'))
    .map((end) => ({ path: `quietHours.${end}`, message: 'must be a time of day as 22:00' })),
];
