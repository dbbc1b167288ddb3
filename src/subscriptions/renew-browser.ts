import type { Edges } from '../edges.ts';
import { AppError } from '../errors.ts';
import { equalBytes, type Keyring } from '../keyring.ts';
import { type AddressRules, lookupOf, normaliseContact, openContact, sealContact } from './address.ts';
import { presentPerson } from './people.ts';
import type { Contact } from './subscriber.ts';
import type { AddressStore, SubscriptionStore } from './subscription-store.ts';

type BrowserContact = Extract<Contact, { channel: 'webPush' }>;

type Stores = {
  addresses: Pick<AddressStore, 'find' | 'claim' | 'remove' | 'suppression'>;
  subscriptions: Pick<SubscriptionStore, 'subscriber'>;
};
type Tools = { keyring: Keyring; edges: Pick<Edges, 'now'>; rules: AddressRules };

/** The push service, the browser and we alone know it (RFC 8291 section 3.2): whoever shows it is that browser. */
const isSameBrowser = (held: Contact, shown: BrowserContact): boolean =>
  held.channel === 'webPush' && equalBytes(Buffer.from(held.keys.auth), Buffer.from(shown.keys.auth));

/**
 * A browser whose push service gave it another endpoint (Push API, `pushsubscriptionchange`) goes on under the new one, without
 * asking its person again: `from` proves itself by its authentication secret. Says nothing of whether it was known. Throws
 * `invalid` where one of the two is no subscription.
 */
export const makeBrowserRenewal =
  ({ addresses, subscriptions }: Stores, { keyring, edges, rules }: Tools) =>
  async (from: BrowserContact, to: BrowserContact): Promise<void> => {
    const [old, fresh] = [normaliseContact(from, rules), normaliseContact(to, rules)];
    const faults = [old, fresh].flatMap((one) => (one.ok ? [] : one.faults));
    if (!old.ok || !fresh.ok) throw new AppError('invalid', 'The subscription does not fit', { faults });
    const held = await addresses.find(lookupOf(keyring, old.contact));
    if (!held || !isSameBrowser(openContact(keyring, held), from)) return;
    const person = await presentPerson(subscriptions, { ordinal: held.subscriber });
    const sealed = sealContact(keyring, fresh.contact);
    if (!person || (await addresses.suppression(sealed.lookup)) !== null) return;
    const claimed = await addresses.claim({
      ...{ ...sealed, subscriber: person.ordinal },
      ...{ verifiedAt: edges.now(), suppressed: null },
    });
    if (claimed.outcome !== 'taken' && sealed.lookup !== held.lookup)
      await addresses.remove(held.lookup, held.subscriber);
  };
