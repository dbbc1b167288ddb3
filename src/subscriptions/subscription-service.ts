import type { Locale } from '../catalogue/topic.ts';
import { newId } from '../edges.ts';
import { AppError, type Fault } from '../errors.ts';
import type { LedgerStore } from '../fanout/ledger-store.ts';
import type { ProfileStore } from '../profiles/profile-store.ts';
import { signLink } from '../signed-link.ts';
import { type ContactParts, lookupOf, maskContact, normaliseContact, openContact } from './address.ts';
import { type Consents, type ConsentWay, giveConsent, withdrawConsent } from './consent.ts';
import { makeErase } from './erase.ts';
import { type ChannelName, type FollowRequest, type Pace, topicSource } from './follow.ts';
import { type FollowParts, followParts } from './follow-check.ts';
import { type ImportStores, makeImporter } from './import/import-people.ts';
import { type Leaving, makeLeaving } from './leaving.ts';
import { makeOwnAddresses } from './own-addresses.ts';
import { type Facts, factFaults, movesDigests, presentPerson, readTold } from './people.ts';
import type { makeBrowserRenewal } from './renew-browser.ts';
import { hourMs, mayBeAsked, type PeopleTools, rulesOf, wasSent } from './sign-up-service.ts';
import type { Contact, QuietHours, Subscriber } from './subscriber.ts';
import type { AddressStore, Followed, SignUpStore, SubscriptionStore } from './subscription-store.ts';
import { putWishes, wishFaults } from './wishes.ts';

/** Contacts as people write them; the service normalises (email: trimmed, NFC, lower case, ASCII domain; phone: E.164). */
export type SignUpRequest = {
  contact: Contact;
  follow: FollowRequest[];
  locale: Locale | null;
  region: string | null;
  timeZone: string | null;
  /** What names the form it came by: the same form sent twice (a double click, the back button) asks once. */
  form?: string;
};

/** A person with everything that they may see of themselves. Addresses are masked (`z…@example.org`, `+86 *** 1234`). */
export type PersonView = {
  person: Subscriber;
  addresses: { channel: ChannelName; masked: string; suppressed: string | null }[];
  follows: Followed[];
};

/** An address as its owner sees it. `id` names it among theirs; `verifiedAt` in ms. */
export type OwnAddress = {
  id: string;
  channel: ChannelName;
  contact: Contact;
  masked: string;
  verifiedAt: number;
  suppressed: string | null;
};

/** What is sound of a sign-up, by the names of the API. */
type SignUpParts = ContactParts &
  Pick<Facts, 'region' | 'timeZone'> & { follow?: readonly (FollowParts | undefined)[] | undefined };

export type SignUpService = {
  /** Everything that the sound part of a sign-up names and should not; `request` refuses the same. */
  faultsIn(parts: SignUpParts): Promise<Fault[]>;
  /** Keeps the sign-up and sends the confirmation; says nothing of whether the address is known. Throws `invalid` naming every fault. */
  request(request: SignUpRequest): Promise<void>;
  /**
   * Asks at an address whether it may be added to those of a person who is signed in, with the same secrecy as `request`.
   * Once confirmed it is theirs; if it is somebody else's, the two become one under the older id (product: semantic 12).
   * `replaces`: the id of an address of theirs that goes then; `form` as of a sign-up. Throws `invalid` naming the fault, `not-found`.
   */
  add(id: string, contact: Contact, locale: Locale, by?: { replaces?: string; form?: string }): Promise<void>;
  /**
   * What a confirmation link is for, without acting. `addsTo`: the masked addresses of the person who adds this one to them.
   * Throws `bad-link` or `link-expired`.
   */
  preview(token: string): Promise<{
    masked: string;
    channel: ChannelName;
    follow: FollowRequest[];
    confirmed: boolean;
    locale: Locale;
    addsTo?: string[];
  }>;
  /** Confirms by link; repeating it answers the same. Throws `bad-link`, `link-expired`. */
  confirm(token: string): Promise<{ subscriber: string }>;
  /** Confirms by SMS code; throws `wrong-code` alike for a wrong code, a late one, too many tries and an unknown number. */
  confirmCode(phone: string, code: string): Promise<{ subscriber: string }>;
  /** A browser goes on under another endpoint (renew-browser.ts). Throws `invalid`. */
  renewBrowser: ReturnType<typeof makeBrowserRenewal>;
};

export type ImportReport = {
  imported: number;
  updated: number;
  failed: number;
  errors: { line: number; path: string; message: string }[];
};

/** Attributes as somebody tells them; null takes one away. */
export type ToldAttributes = Record<string, Subscriber['attributes'][string] | null>;

export type SubscriptionService = {
  person(by: { id: string } | { externalId: string }): Promise<PersonView | null>;
  /** Everything that the sound part of a change names and should not; `change` refuses the same. */
  faultsIn(fields: Facts & { attributes?: ToldAttributes | undefined }): Promise<Fault[]>;
  /**
   * Attributes are added to those that are there, null takes one away; consents count as told by the office. Taking consent
   * back forgets the profile at once. Another time zone or hour of digests counts for what waits for one, too. Throws `not-found`, `invalid` (unknown region, attribute or value).
   */
  change(
    id: string,
    fields: {
      attributes?: ToldAttributes;
      consents?: { personalisation: boolean };
      locale?: Locale;
      region?: string | null;
      timeZone?: string | null;
      quietHours?: QuietHours | null;
      digestHour?: number | null;
    },
  ): Promise<PersonView>;
  /** What a person says themselves on a page of consent to personalisation, in the `wording` they read. Throws `not-found`. */
  consent(id: string, told: { personalisation: boolean; wording: string }): Promise<void>;
  /** Being forgotten in a week, which can be taken back until then. */
  leaving: Leaving;
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
  /** Stops everything that an address's owner follows, by that way or otherwise (STOP, TD); unknown addresses do nothing. */
  stopByContact(contact: Contact): Promise<number>;
  /** A person's own addresses, in the order they were verified. Throws `not-found`. */
  addressesOf(id: string): Promise<OwnAddress[]>;
  /**
   * Takes an address away; an import does not bring it back. Throws `not-found`, or `wrong-state` for the last one that
   * can be used while anything is followed.
   */
  removeAddress(id: string, address: string): Promise<void>;
  /** A magic link to My notifications goes to the address if it is verified; says nothing of whether it is. `form` as of a sign-up. */
  requestManageLink(contact: Contact, locale: Locale, form?: string): Promise<void>;
  /** NDJSON, one person a line, in chunks of bounded memory; a bad line never stops the others. */
  importPeople(lines: AsyncIterable<Uint8Array>): Promise<ImportReport>;
  /** People with a live subscription, by topic slug (a follow of that topic itself). */
  topicFollowers(slugs: string[]): Promise<Map<string, number>>;
};

export type SubscriptionStores = ImportStores & {
  subscriptions: SubscriptionStore;
  addresses: AddressStore;
  signUps: Pick<SignUpStore, 'takeMessage'>;
  profiles: Pick<ProfileStore, 'forget'>;
  ledger: Pick<LedgerStore, 'hastenDigests'>;
};

type Changes = Parameters<SubscriptionService['change']>[1];
type Fields = Parameters<SubscriptionStore['updateSubscriber']>[1];

const refuse = (faults: Fault[]): void => {
  if (faults.length > 0) throw new AppError('invalid', 'What was sent does not fit', { faults });
};

const notFound = (what: string): AppError => new AppError('not-found', `There is no such ${what}`);

/** What people, and the office for them, do with their subscriptions. A merged person is answered as who they are now. */
export const makeSubscriptionService = (stores: SubscriptionStores, tools: PeopleTools): SubscriptionService => {
  const { subscriptions, addresses, signUps, profiles, ledger } = stores;
  const { keyring, edges, catalogue, courier, templates, config } = tools;

  const personOf = async (id: string): Promise<Subscriber> => {
    const person = await presentPerson(subscriptions, { id });
    if (!person) throw notFound('person');
    return person;
  };

  const view = async (person: Subscriber): Promise<PersonView> => ({
    person,
    addresses: (await addresses.ofSubscribers([person.ordinal])).map((address) => ({
      channel: address.channel,
      masked: maskContact(openContact(keyring, address)),
      suppressed: address.suppressed,
    })),
    follows: await subscriptions.subscriptionsOf(person.ordinal),
  });

  const consentsOf = (person: Subscriber, given: boolean, how: ConsentWay, wording: string | null): Consents =>
    given ? giveConsent(person.consents, { how, wording }, edges.now()) : withdrawConsent(person.consents, edges.now());

  const checked = async (person: Subscriber, { attributes, consents, ...facts }: Changes): Promise<Fields> => {
    const told = attributes && readTold(attributes, person.attributes, await catalogue.attributes());
    refuse([...factFaults(facts, await catalogue.trees()), ...(told?.faults ?? [])]);
    return {
      ...facts,
      ...(told && { attributes: told.values }),
      ...(consents && { consents: consentsOf(person, consents.personalisation, 'api', null) }),
    };
  };

  /** Whoever takes consent back has no profile any more: it goes before, so that no fault leaves it, and what came in between after. */
  const update = async (person: Subscriber, fields: Fields): Promise<Subscriber> => {
    const withdrawn = fields.consents?.personalisation === false;
    if (withdrawn) await profiles.forget(person.ordinal);
    const changed = await subscriptions.updateSubscriber(person.ordinal, fields);
    if (withdrawn) await profiles.forget(person.ordinal);
    if (!changed) throw notFound('person');
    if (movesDigests(person, fields)) await ledger.hastenDigests([person.ordinal], edges.now());
    return changed;
  };

  const erase = makeErase(stores, tools);
  const own = makeOwnAddresses(stores, { keyring, edges });

  return {
    addressesOf: async (id) => own.list(await personOf(id)),
    removeAddress: async (id, address) => own.remove(await personOf(id), address),
    person: async (by) => {
      const person = await presentPerson(subscriptions, by);
      return person && view(person);
    },
    faultsIn: async ({ attributes, ...facts }) => [
      ...factFaults(facts, await catalogue.trees()),
      ...readTold(attributes ?? {}, {}, await catalogue.attributes()).faults,
    ],
    change: async (id, fields) => {
      const person = await personOf(id);
      return view(await update(person, await checked(person, fields)));
    },
    consent: async (id, { personalisation, wording }) => {
      const person = await personOf(id);
      await update(person, { consents: consentsOf(person, personalisation, 'page', wording) });
    },
    leaving: makeLeaving(stores, tools),
    erase: async (id) => erase((await personOf(id)).ordinal),
    follow: async (id, follow) => {
      const { ordinal } = await personOf(id);
      refuse(await wishFaults(stores, catalogue, [followParts(follow)]));
      await putWishes(stores, edges, ordinal, [follow]);
    },
    changeFollow: async (id, subscription, fields) => {
      const { ordinal } = await personOf(id);
      if (!(await subscriptions.changeSubscription(ordinal, subscription, fields))) throw notFound('subscription');
    },
    stop: async (id, which) => {
      const { ordinal } = await personOf(id);
      const what = typeof which === 'object' && 'subscription' in which ? { id: which.subscription } : which;
      return subscriptions.stop(ordinal, what, edges.now());
    },
    stopByContact: async (contact) => {
      const normal = normaliseContact(contact, rulesOf(config));
      const address = normal.ok && (await addresses.find(lookupOf(keyring, normal.contact)));
      const person = address ? await presentPerson(subscriptions, { ordinal: address.subscriber }) : null;
      return person ? subscriptions.stop(person.ordinal, 'all', edges.now()) : 0;
    },
    requestManageLink: async (contact, locale, form) => {
      const normal = normaliseContact(contact, rulesOf(config));
      if (!normal.ok) throw new AppError('invalid', 'The address does not fit', { faults: normal.faults });
      const now = edges.now();
      const lookup = lookupOf(keyring, normal.contact);
      if (form !== undefined && (await wasSent(signUps, keyring, [form, 'manage', lookup], now))) return;
      if (!(await mayBeAsked(signUps, lookup, now))) return;
      const address = await addresses.find(lookup);
      const person = address && (await presentPerson(subscriptions, { ordinal: address.subscriber }));
      const link = `${config.publicUrl}/manage/${signLink(keyring, 'manage', person?.id ?? newId(edges), now + hourMs)}`;
      const { content, slots } = templates.manageLink({ locale, link });
      // an unknown address costs as much as a known one: the time of the answer tells nothing either
      if (!address || address.suppressed !== null || !person)
        return courier.pretend(normal.contact.channel, content, slots);
      await courier.post(openContact(keyring, address), content, slots, now + hourMs);
    },
    importPeople: makeImporter(stores, tools),
    topicFollowers: async (slugs) => {
      const counts = await subscriptions.followerCounts(slugs.map(topicSource));
      return new Map(slugs.map((slug) => [slug, counts.get(topicSource(slug)) ?? 0]));
    },
  };
};
