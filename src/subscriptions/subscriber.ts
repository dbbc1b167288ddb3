import type { Locale } from '../catalogue/topic.ts';
import type { Consents } from './consent.ts';
import type { ChannelName, Pace, Target } from './follow.ts';

/** A place where a person can be reached, in the clear. Never logged, never stored so. */
export type Contact =
  | { channel: 'email'; email: string }
  | { channel: 'sms'; phone: string }
  | { channel: 'webPush'; endpoint: string; keys: { p256dh: string; auth: string } }
  | { channel: 'wechat'; openid: string };

/** **address**: one verified contact of a subscriber, as it is stored: looked up by HMAC, sealed with AES-256-GCM. */
export type Address = {
  lookup: string;
  subscriber: number;
  channel: ChannelName;
  sealed: string;
  verifiedAt: number;
  /** Why nothing may be sent there, or null. */
  suppressed: string | null;
};

export type QuietHours = { from: string; to: string };

/** The local hour (0-23) of digests for whoever chose none. */
export const usualDigestHour = 8;

/**
 * **subscriber**: a person. The ordinal is dense, small and never reused; it never leaves the service. A **contact** is none: it
 * is the reply address of somebody who applied without an account, and is found by its ordinal and by what made it alone.
 */
export type Subscriber = {
  ordinal: number;
  id: string;
  externalId: string | null;
  locale: Locale;
  region: string | null;
  timeZone: string | null;
  quietHours: QuietHours | null;
  /** The local hour (0-23) of their digests; null: the usual one. */
  digestHour: number | null;
  attributes: Record<string, string | string[] | number>;
  consents: Consents;
  /** They find it too many: suggestions come half as often. */
  fewer?: boolean;
  /** Links in their messages lead where they lead, uncounted. */
  plainLinks?: boolean;
  /** They asked to be forgotten: from then on (ms) they are erased. Meanwhile they are told nothing, and may take it back. */
  leavesAt?: number;
  mergedInto: number | null;
  erasedAt: number | null;
  createdAt: number;
  contact?: true;
};

/** A distinct thing that people follow: the normal form of target and regions. `source` names it in reasons. */
export type FollowDefinition = {
  /** Hash of the normal form: equal follows, equal key. */
  key: string;
  /** `subscription:topic:<slug>`, `subscription:search:<hash>` or `subscription:item:<id>`. */
  source: string;
  target: Target;
  regions: string[] | null;
  /** Values by which an item finds this follow (see matching.ts); an item holding none of them cannot match. */
  anchors: string[];
};

/** **subscription** (a *follow*): one person's wish, with pace and channels (an order of preference; null: the default). */
export type Subscription = {
  id: string;
  subscriber: number;
  follow: string;
  pace: Pace;
  channels: ChannelName[] | null;
  origin: 'person' | 'import';
  createdAt: number;
  stoppedAt: number | null;
};

/** Who a person is to the fan-out: all that policy and sending need, and nothing else. */
export type Recipient = Omit<Subscriber, 'attributes' | 'externalId' | 'createdAt' | 'contact'> & {
  addresses: Address[];
  /** They stopped everything and have followed nothing since: suggestions are over, too. */
  stoppedAll: boolean;
};
