import { setTimeout as pauseOf } from 'node:timers/promises';
import type { LedgerStore } from '../fanout/ledger-store.ts';
import { withdrawConsent } from './consent.ts';
import { type Pace, paces } from './follow.ts';
import type { Subscriber } from './subscriber.ts';
import type { AddressStore, Followed, SubscriptionStore } from './subscription-store.ts';

export type MergeStores = {
  subscriptions: SubscriptionStore;
  addresses: Pick<AddressStore, 'move'>;
  ledger: Pick<LedgerStore, 'moveNotices' | 'hastenDigests'>;
};

/** Lets `ms` milliseconds pass. */
export type Pause = (ms: number) => Promise<unknown>;

/** How often, and after how many ms, a message in flight is asked after: two seconds in all, since somebody waits for the page. */
const looks = 20;
const lookMs = 100;

const faster = (a: Pace, b: Pace): Pace => (paces.indexOf(a) <= paces.indexOf(b) ? a : b);

/** One follow of the newer as the older's: the later wish wins; of two live ones the faster pace. */
const takeOver = async (
  subscriptions: SubscriptionStore,
  follow: Followed,
  own: Followed | undefined,
  to: number,
): Promise<void> => {
  const { definition: _, ...wish } = { ...follow, subscriber: to };
  if (!own) await subscriptions.putSubscription(wish, follow.stoppedAt === null);
  else if (follow.stoppedAt === null && own.stoppedAt === null)
    await subscriptions.changeSubscription(to, own.id, { pace: faster(follow.pace, own.pace) });
  else if (follow.stoppedAt === null && (own.stoppedAt ?? 0) < follow.createdAt)
    await subscriptions.putSubscription(wish, true);
};

const takeOverAll = async (subscriptions: SubscriptionStore, from: number, to: number): Promise<void> => {
  const own = new Map((await subscriptions.subscriptionsOf(to)).map((follow) => [follow.follow, follow]));
  for (const follow of await subscriptions.subscriptionsOf(from))
    await takeOver(subscriptions, follow, own.get(follow.follow), to);
};

/** What is in flight to the newer comes to rest within moments; what it comes to is passed on (ledger-store.ts). */
const moveAllNotices = async (
  ledger: MergeStores['ledger'],
  { from, to }: { from: number; to: number },
  pause: Pause,
): Promise<void> => {
  for (let look = 0; (await ledger.moveNotices(from, to)) > 0 && look < looks; look++) await pause(lookMs);
};

/** The older person speaks for both from now on: nothing that tells who the newer was may outlive an erasure of the older. */
const noFacts = { region: null, timeZone: null, quietHours: null, digestHour: null, attributes: {} };

/**
 * Makes the newer subscriber one with the older, after both proved their addresses (product: semantic 12): follows are
 * united, what either was told stays told, the older's facts win and the newer's fill what it lacks; consent stands only
 * where both gave it. Every step may be repeated; `mergedInto` is set after the notices have moved (design: D5), and what
 * happened in between is taken over after it. `at` in ms.
 */
export const mergeSubscribers = async (
  { subscriptions, addresses, ledger }: MergeStores,
  newer: Subscriber,
  older: Subscriber,
  at: number,
  pause: Pause = pauseOf,
): Promise<void> => {
  if (newer.ordinal === older.ordinal) return;
  await ledger.moveNotices(newer.ordinal, older.ordinal);
  await takeOverAll(subscriptions, newer.ordinal, older.ordinal);
  await addresses.move(newer.ordinal, older.ordinal);
  await subscriptions.updateSubscriber(older.ordinal, {
    region: older.region ?? newer.region,
    timeZone: older.timeZone ?? newer.timeZone,
    quietHours: older.quietHours ?? newer.quietHours,
    digestHour: older.digestHour ?? newer.digestHour,
    attributes: { ...newer.attributes, ...older.attributes },
    ...(older.consents.personalisation && !newer.consents.personalisation
      ? { consents: withdrawConsent(older.consents, at) }
      : {}),
  });
  await subscriptions.merge(newer.ordinal, older.ordinal, at);
  await ledger.hastenDigests([newer.ordinal, older.ordinal], at);
  await moveAllNotices(ledger, { from: newer.ordinal, to: older.ordinal }, pause);
  await takeOverAll(subscriptions, newer.ordinal, older.ordinal);
  await subscriptions.stop(newer.ordinal, 'all', at);
  await subscriptions.updateSubscriber(newer.ordinal, noFacts);
};
