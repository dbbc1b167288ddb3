import { openContact } from './address.ts';
import type { PeopleTools } from './sign-up-service.ts';
import type { AddressStore, SubscriptionStore } from './subscription-store.ts';

/** Erases one person (by ordinal) from the store, and what was sent to their addresses from the outbox. Safe to repeat. */
export const makeErase =
  (
    stores: { subscriptions: Pick<SubscriptionStore, 'erase'>; addresses: Pick<AddressStore, 'ofSubscribers'> },
    { keyring, edges, forgetSent }: Pick<PeopleTools, 'keyring' | 'edges' | 'forgetSent'>,
  ) =>
  async (ordinal: number): Promise<void> => {
    const held = await stores.addresses.ofSubscribers([ordinal]);
    await stores.subscriptions.erase(ordinal, edges.now());
    await forgetSent(held.map((address) => openContact(keyring, address)));
  };
