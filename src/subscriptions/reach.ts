import type { Locale } from '../catalogue/topic.ts';
import type { Keyring } from '../keyring.ts';
import { openContact } from './address.ts';
import type { ChannelName } from './follow.ts';
import { presentPerson } from './people.ts';
import type { Contact } from './subscriber.ts';
import type { AddressStore, SubscriptionStore } from './subscription-store.ts';

/** In writing first: what stands in a mail can be kept. */
const order: ChannelName[] = ['email', 'sms', 'webPush'];

/** Where one person can be written to now, and in which language; null where nowhere, or they are gone. */
export const reachOf = async (
  stores: {
    subscriptions: Pick<SubscriptionStore, 'subscriber'>;
    addresses: Pick<AddressStore, 'ofSubscribers'>;
  },
  keyring: Pick<Keyring, 'open'>,
  ordinal: number,
): Promise<{ contact: Contact; locale: Locale } | null> => {
  const person = await presentPerson(stores.subscriptions, { ordinal });
  if (!person) return null;
  const usable = (await stores.addresses.ofSubscribers([person.ordinal])).filter((one) => one.suppressed === null);
  const best = order.flatMap((channel) => usable.find((address) => address.channel === channel) ?? [])[0];
  return best ? { contact: openContact(keyring, best), locale: person.locale } : null;
};
