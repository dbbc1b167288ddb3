import type { Locale } from '../catalogue/topic.ts';
import type { ChannelName } from './follow.ts';
import type { Address, FollowDefinition, Recipient, Subscriber, Subscription } from './subscriber.ts';

export type NewSubscriber = Omit<Subscriber, 'ordinal' | 'leavesAt' | 'mergedInto' | 'erasedAt'>;

/** A subscription together with what it follows. */
export type Followed = Subscription & { definition: FollowDefinition };

/** What `AddressStore.claim` found: the address is now this subscriber's, was already, or is somebody else's. */
type AddressClaim = { outcome: 'added' | 'kept' } | { outcome: 'taken'; subscriber: number };

/**
 * An address to be kept. `plain`: of a reply address, the look-up under which anybody may have the same one. The two are suppressed,
 * found suppressed and lifted together; only what was erased may still be answered.
 */
type ClaimedAddress = Address & { plain?: string };

/** Addresses: each is a row of its own whose key is the look-up of its normal form, so that it has one owner at most. */
export type AddressStore = {
  /** Gives the address to `address.subscriber` if nobody has it; refreshes seal and time if they already do. Never moves it. */
  claim(address: ClaimedAddress): Promise<AddressClaim>;
  /** The address of that look-up, or null. */
  find(lookup: string): Promise<Address | null>;
  /** All addresses of these subscribers, in the order they were verified. */
  ofSubscribers(ordinals: number[]): Promise<Address[]>;
  /** Moves every address of one subscriber to another (a merge); repeating it changes nothing. */
  move(from: number, to: number): Promise<void>;
  /**
   * Marks a look-up as suppressed with a reason code, whoever has it; an already suppressed one keeps its time, and its first
   * reason but for `erasedReason`, which takes over. Answers whether it changed.
   */
  suppress(lookup: string, reason: string, at: number): Promise<boolean>;
  /** Why nothing may be sent to that look-up, or null; it outlives the address and its owner. */
  suppression(lookup: string): Promise<string | null>;
  /** Since when nothing may be sent to that look-up (ms), or null where it may. */
  suppressedSince(lookup: string): Promise<number | null>;
  /** Lifts the suppression of a look-up if it has that reason; answers whether it had. */
  lift(lookup: string, reason: string): Promise<boolean>;
  /** What is suppressed, of one reason or all, newest first, ties by look-up. */
  suppressions(
    reason: string | null,
    page: { cursor: string | null; limit: number },
  ): Promise<{ rows: Suppression[]; next: string | null }>;
  /** Removes the address if it is that subscriber's. Answers whether it was. */
  remove(lookup: string, subscriber: number): Promise<boolean>;
};

/** **suppression**: nothing may be sent to a look-up, whoever has it, since `at` (0: before times were kept). */
export type Suppression = { lookup: string; reason: string; at: number };

/** Why an address whose owner was erased is suppressed: nothing but a confirmation that they ask for again reaches it. */
export const erasedReason = 'erased';

/** Why an address in WeChat is suppressed whose owner does not follow the account: it is lifted when they do again. */
export const notFollowing = 'not-following';

/** One line of an import, checked and in its normal form. */
export type ImportedPerson = {
  /** Public id, should the person be new. */
  id: string;
  externalId: string | null;
  /** For a new person who tells no language. */
  defaultLocale: Locale;
  /** What the line tells; what it leaves out stays as it is. Attributes are added to those that are there. */
  fields: Partial<
    Pick<Subscriber, 'locale' | 'region' | 'timeZone' | 'quietHours' | 'digestHour' | 'attributes' | 'consents'>
  >;
  addresses: Omit<Address, 'subscriber' | 'suppressed'>[];
  /** `id` is the subscription's, should it be new; `key` is a stored follow's. */
  follows: (Pick<Subscription, 'id' | 'pace' | 'channels'> & { key: string })[];
  createdAt: number;
};

/**
 * What became of an imported person; `withdrawn`: the ordinal of somebody whose consent the line took back; `moved`: of somebody whose
 * digests come at another moment now; `taken`: that
 * address belongs to somebody else, and nothing was written.
 */
export type ImportOutcome =
  | { outcome: 'imported' | 'updated'; withdrawn?: number; moved?: number }
  | { outcome: 'taken'; lookup: string };

/** People and what they follow. */
export type SubscriptionStore = {
  /** Stores a new person under the next free ordinal; throws AppError `conflict` when the externalId is taken. */
  insertSubscriber(person: NewSubscriber): Promise<Subscriber>;
  /**
   * One person by public id, ordinal or externalId; null if unknown. Erased and merged people are answered as they are. A
   * contact is answered to its ordinal and to `contact`, its id under which nobody else is found.
   */
  subscriber(
    by: { id: string } | { ordinal: number } | { externalId: string } | { contact: string },
  ): Promise<Subscriber | null>;
  /** Changes the named fields; answers the person, or null if unknown. Consents that are withdrawn so, no import revives. */
  updateSubscriber(
    ordinal: number,
    fields: Partial<Omit<Subscriber, 'ordinal' | 'id' | 'leavesAt' | 'mergedInto' | 'erasedAt' | 'createdAt'>>,
  ): Promise<Subscriber | null>;
  /**
   * Clears everything that tells who the person was: facts, follows, addresses, open sign-ups, what they wrote to the office
   * (with the contacts of applications under an address of theirs); the ordinal and id stay. The look-ups of their addresses
   * are suppressed as `erasedReason`, so that no import brings them back.
   */
  erase(ordinal: number, at: number): Promise<void>;
  /**
   * Keeps that a person is to be erased from `at` on (ms); null takes that back. Whoever leaves stands in no audience. Answers whether
   * they are there: nothing is kept of those unknown, merged or erased.
   */
  leave(ordinal: number, at: number | null): Promise<boolean>;
  /** Who was to be erased before then (ms) and is not yet, the longest due first. */
  leaving(before: number, limit: number): Promise<number[]>;
  /** Marks `from` as merged into `to` after its follows and addresses were taken over; repeating it changes nothing. */
  merge(from: number, to: number, at: number): Promise<void>;
  /** Everybody named, with their addresses, in one read; unknown ordinals are left out, merged and erased people are in. */
  recipients(ordinals: number[]): Promise<Recipient[]>;

  /**
   * Stores people of an import in their order and answers what became of each. A person is known by externalId, else by an
   * address; an address that somebody else has, or whose owner has another externalId, is `taken`; one that they have already
   * keeps its time. The follows replace the
   * imported ones only. What the person stopped stays stopped (after stopping all nothing is added until they follow
   * something themselves), and consent that they withdrew stays withdrawn.
   */
  importPeople(people: ImportedPerson[]): Promise<ImportOutcome[]>;

  /** Stores distinct follows unless their keys are there. */
  putFollows(definitions: FollowDefinition[]): Promise<void>;
  /** The distinct follows of these keys; unknown keys are left out. */
  follows(keys: string[]): Promise<FollowDefinition[]>;
  /** People with a live subscription to any follow of that source, by source. */
  followerCounts(sources: string[]): Promise<Map<string, number>>;
  /** The live subscriptions of these people to these follows. */
  holding(followKeys: string[], ordinals: number[]): Promise<Subscription[]>;

  /**
   * Adds or updates a subscription (key: follow and person) to a stored follow. A stopped one comes back to life only if
   * `revive`. Answers what happened. An update keeps the id and createdAt that are there.
   */
  putSubscription(subscription: Subscription, revive: boolean): Promise<'added' | 'updated' | 'left-stopped'>;
  /** All subscriptions of a person with their definitions, stopped ones too, oldest first. */
  subscriptionsOf(ordinal: number): Promise<Followed[]>;
  /** Stops one subscription of a person by its id, or those to the named follows, or all; answers how many were live. */
  stop(ordinal: number, which: { id: string } | { follows: string[] } | 'all', at: number): Promise<number>;
  /** Keeps that a person wants nothing more by these rules; answers how many of them are new. */
  optOut(ordinal: number, rules: string[], at: number): Promise<number>;
  /** The opt-outs of these people. */
  optOuts(ordinals: number[]): Promise<{ subscriber: number; rule: string }[]>;
  /** Everybody who wants nothing more by a rule, ascending. */
  optedOut(rule: string): Promise<number[]>;
  /** Changes pace and channels of one live subscription of a person; answers whether it was there. */
  changeSubscription(
    ordinal: number,
    id: string,
    fields: { pace?: Subscription['pace']; channels?: Subscription['channels'] },
  ): Promise<boolean>;
};

/** **sign-up**: what somebody asked for at an address that is not confirmed yet. */
export type SignUp = {
  id: string;
  lookup: string;
  channel: ChannelName;
  sealed: string;
  /** JSON of what was asked: follow, locale, region, timeZone. */
  request: string;
  /** HMAC of the code (SMS), or null. */
  codeMac: string | null;
  triesLeft: number;
  createdAt: number;
  expiresAt: number;
  confirmedAt: number | null;
};

/** Sign-ups waiting for their confirmation. */
export type SignUpStore = {
  insert(signUp: SignUp): Promise<void>;
  get(id: string): Promise<SignUp | null>;
  /** The unexpired, unconfirmed sign-ups of an address, newest first. */
  waiting(lookup: string, now: number): Promise<SignUp[]>;
  /** Counts one message that somebody asked to be sent to that address, unless `most` were counted after `since`; answers whether it may go. */
  takeMessage(lookup: string, now: number, since: number, most: number): Promise<boolean>;
  /** Takes one try from every waiting sign-up of the address in one write; answers the most tries that one had before (0: none was left). */
  takeTry(lookup: string, now: number): Promise<number>;
  /** Marks as confirmed; answers false if it was already. */
  confirm(id: string, at: number): Promise<boolean>;
  /** Deletes sign-ups that expired before then, with the messages counted before then; answers how many sign-ups. */
  deleteExpired(before: number): Promise<number>;
};
