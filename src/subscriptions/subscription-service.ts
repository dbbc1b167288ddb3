import type { Locale } from '../catalogue/topic.ts';
import type { ChannelName, FollowRequest, Pace } from './follow.ts';
import type { Contact, QuietHours, Subscriber } from './subscriber.ts';
import type { Followed } from './subscription-store.ts';

export type { FollowRequest };

/** Contacts as people write them; the service normalises (email: trimmed, NFC, lower case, ASCII domain; phone: E.164). */
export type SignUpRequest = {
  contact: Contact;
  follow: FollowRequest[];
  locale: Locale | null;
  region: string | null;
  timeZone: string | null;
};

/** A person with everything that they may see of themselves. Addresses are masked (`z…@example.org`, `+86 *** 1234`). */
export type PersonView = {
  person: Subscriber;
  addresses: { channel: ChannelName; masked: string; suppressed: string | null }[];
  follows: Followed[];
};

export type SignUpService = {
  /** Keeps the sign-up and sends the confirmation; says nothing of whether the address is known. Throws `invalid` naming every fault. */
  request(request: SignUpRequest): Promise<void>;
  /** What a confirmation link is for, without acting; throws `bad-link` or `link-expired`. */
  preview(
    token: string,
  ): Promise<{ masked: string; channel: ChannelName; follow: FollowRequest[]; confirmed: boolean; locale: Locale }>;
  /** Confirms by link; repeating it answers the same. Throws `bad-link`, `link-expired`. */
  confirm(token: string): Promise<{ subscriber: string }>;
  /** Confirms by SMS code; throws `wrong-code` alike for a wrong code, a late one, too many tries and an unknown number. */
  confirmCode(phone: string, code: string): Promise<{ subscriber: string }>;
};

export type ImportReport = {
  imported: number;
  updated: number;
  failed: number;
  errors: { line: number; path: string; message: string }[];
};

export type SubscriptionService = {
  person(by: { id: string } | { externalId: string }): Promise<PersonView | null>;
  /** Throws `not-found`, `invalid` (unknown region, attribute or value). */
  change(
    id: string,
    fields: {
      attributes?: Subscriber['attributes'];
      consents?: Subscriber['consents'];
      locale?: Locale;
      region?: string | null;
      timeZone?: string | null;
      quietHours?: QuietHours | null;
    },
  ): Promise<PersonView>;
  /** Erases at once; the ledger keeps its rows without personal data. Throws `not-found`. */
  erase(id: string): Promise<void>;
  /** Follows one thing more for a person who is signed in. */
  follow(id: string, follow: FollowRequest): Promise<void>;
  changeFollow(
    id: string,
    subscription: string,
    fields: { pace?: Pace; channels?: ChannelName[] | null },
  ): Promise<void>;
  /** Stops one subscription or everything; answers how many were live. */
  stop(id: string, which: { subscription: string } | { follows: string[] } | 'all'): Promise<number>;
  /** Stops everything that a phone number's owner follows by SMS or otherwise (STOP, TD); unknown numbers do nothing. */
  stopByPhone(phone: string): Promise<number>;
  /** A magic link to My notifications goes to the address if it is verified; says nothing of whether it is. */
  requestManageLink(contact: Contact, locale: Locale): Promise<void>;
  /** NDJSON, one person a line, in chunks of bounded memory; a bad line never stops the others. */
  importPeople(lines: AsyncIterable<Uint8Array>): Promise<ImportReport>;
  /** People with a live subscription, by topic slug (a follow of that topic itself). */
  topicFollowers(slugs: string[]): Promise<Map<string, number>>;
};
