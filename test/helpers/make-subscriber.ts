import { defineFollow, type FollowRequest } from '../../src/subscriptions/follow.ts';
import type { FollowDefinition, Subscription } from '../../src/subscriptions/subscriber.ts';
import type { ImportedPerson, NewSubscriber, SubscriptionStore } from '../../src/subscriptions/subscription-store.ts';

export const someTime = Date.parse('2026-03-01T08:30:00.123Z');

export const makePerson = (fields: Partial<NewSubscriber> = {}): NewSubscriber => ({
  id: 'person-1',
  externalId: null,
  locale: 'en',
  region: null,
  timeZone: null,
  quietHours: null,
  digestHour: null,
  attributes: {},
  consents: { personalisation: false },
  createdAt: someTime,
  ...fields,
});

export const topicFollow = (topic: string, regions: FollowRequest['regions'] = null): FollowDefinition =>
  defineFollow({ target: { topic }, regions });

export const makeSubscription = (fields: Partial<Subscription> = {}): Subscription => ({
  id: 'subscription-1',
  subscriber: 1,
  follow: topicFollow('housing').key,
  pace: 'immediate',
  channels: null,
  origin: 'person',
  createdAt: someTime,
  stoppedAt: null,
  ...fields,
});

export const makeImported = (fields: Partial<ImportedPerson> = {}): ImportedPerson => ({
  id: 'person-1',
  externalId: null,
  defaultLocale: 'zh-CN',
  fields: {},
  addresses: [],
  follows: [],
  createdAt: someTime,
  ...fields,
});

/** Who of the first `upTo` people has a live subscription to a follow, ascending. */
export const followersOf = async (
  store: Pick<SubscriptionStore, 'holding'>,
  follow: string,
  upTo = 1_000,
): Promise<number[]> => {
  const everybody = Array.from({ length: upTo }, (_, at) => at + 1);
  return (await store.holding([follow], everybody)).map(({ subscriber }) => subscriber).sort((a, b) => a - b);
};
