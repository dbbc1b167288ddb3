import type { mongo } from 'mongoose';
import type { FollowDefinition, Recipient, Subscriber, Subscription } from '../../../subscriptions/subscriber.ts';
import type { LinePerson } from '../../import-line.ts';
import type { AddressDocument, SuppressionDocument } from '../address-store.ts';

/**
 * A person by ordinal. `pending`: the ordinal is taken, and nobody has it yet. `beat` counts writes, for who reads before
 * they write. `owes`: what must still be done in other collections; a sweep does it if the writer died. `attributes` is JSON:
 * names in it may be anything. `refused`: they said no to personalisation themselves, which an import cannot overrule. People stored
 * before there was a choice have no `digestHour`.
 */
export type PersonDocument = Omit<Subscriber, 'ordinal' | 'attributes' | 'digestHour' | 'leavesAt'> & {
  _id: number;
  leavesAt?: number | null;
  digestHour?: number | null;
  pending?: true;
  attributes: string;
  refused: boolean;
  stoppedAll: boolean;
  beat: number;
  owes: 'erasure' | 'forgetting' | 'joining' | null;
};

/** What a person is called by from outside (`nameOf`), and whose name it is. */
type PersonName = { _id: string; ordinal: number };
export const nameOf = {
  id: (id: string): string => `id ${id}`,
  externalId: (externalId: string): string => `externalId ${externalId}`,
};

/** A distinct follow by its key; `no` is null until it has its number. `definition`: JSON. */
export type FollowDocument = { _id: string; no: number | null; source: string; definition: string };
type FollowNumber = { _id: number; key: string };

/** A subscription under "person follow"; `no` is the follow's number. */
export type SubscriptionDocument = Subscription & { _id: string; no: number };
export type OptOutDocument = { _id: string; rule: string; subscriber: number; at: number };

export const peopleCollections = (db: mongo.Db) => ({
  subscribers: db.collection<PersonDocument>('subscribers'),
  names: db.collection<PersonName>('subscriber_names'),
  follows: db.collection<FollowDocument>('follows'),
  followNumbers: db.collection<FollowNumber>('follow_numbers'),
  subscriptions: db.collection<SubscriptionDocument>('subscriptions'),
  optOuts: db.collection<OptOutDocument>('rule_opt_outs'),
  addresses: db.collection<AddressDocument>('addresses'),
  suppressions: db.collection<SuppressionDocument>('suppressions'),
  signUps: db.collection<{ _id: string; lookup: string }>('sign_ups'),
});

/** What a person wished of how they are told, and whether at all; what they did not wish is left out. */
const wishesOf = ({ fewer, plainLinks, leavesAt }: PersonDocument) => ({
  ...(leavesAt == null ? {} : { leavesAt }),
  ...(fewer ? { fewer } : {}),
  ...(plainLinks ? { plainLinks } : {}),
});

export const toSubscriber = (found: PersonDocument): Subscriber => ({
  ordinal: found._id,
  id: found.id,
  externalId: found.externalId,
  locale: found.locale,
  region: found.region,
  timeZone: found.timeZone,
  quietHours: found.quietHours,
  digestHour: found.digestHour ?? null,
  attributes: JSON.parse(found.attributes),
  consents: found.consents,
  mergedInto: found.mergedInto,
  erasedAt: found.erasedAt,
  createdAt: found.createdAt,
  ...wishesOf(found),
  ...(found.contact ? { contact: true as const } : {}),
});

export const toRecipient = (found: PersonDocument): Recipient => ({
  ordinal: found._id,
  id: found.id,
  locale: found.locale,
  region: found.region,
  timeZone: found.timeZone,
  quietHours: found.quietHours,
  digestHour: found.digestHour ?? null,
  consents: { personalisation: found.consents.personalisation },
  mergedInto: found.mergedInto,
  erasedAt: found.erasedAt,
  stoppedAll: found.stoppedAll,
  addresses: [],
  ...wishesOf(found),
});

export const toLinePerson = (found: PersonDocument): LinePerson => ({
  ordinal: found._id,
  externalId: found.externalId,
  stoppedAll: found.stoppedAll,
  timeZone: found.timeZone,
  digestHour: found.digestHour ?? null,
  consents: found.consents,
  refused: found.refused,
});

export const toDefinition = ({ _id, source, definition }: FollowDocument): FollowDefinition => ({
  key: _id,
  source,
  ...JSON.parse(definition),
});

export const toSubscription = (found: SubscriptionDocument): Subscription => ({
  id: found.id,
  subscriber: found.subscriber,
  follow: found.follow,
  pace: found.pace,
  channels: found.channels,
  origin: found.origin,
  createdAt: found.createdAt,
  stoppedAt: found.stoppedAt,
});

export const subscriptionId = (subscriber: number, follow: string): string => `${subscriber} ${follow}`;
