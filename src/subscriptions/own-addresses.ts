import type { Edges } from '../edges.ts';
import { AppError } from '../errors.ts';
import type { Keyring } from '../keyring.ts';
import { maskContact, openContact } from './address.ts';
import type { Address, Subscriber } from './subscriber.ts';
import type { OwnAddress } from './subscription-service.ts';
import { type AddressStore, erasedReason, type SubscriptionStore } from './subscription-store.ts';

type Stores = {
  addresses: Pick<AddressStore, 'claim' | 'ofSubscribers' | 'remove' | 'suppress'>;
  subscriptions: Pick<SubscriptionStore, 'subscriptionsOf'>;
};
type Tools = { keyring: Pick<Keyring, 'mac' | 'open'>; edges: Pick<Edges, 'now'> };

const isUsable = ({ suppressed }: Address): boolean => suppressed === null;

/** Whether nobody could be told any more without this address: the last usable one, or the last of all. */
const isLast = (address: Address, held: readonly Address[]): boolean => {
  const others = held.filter(({ lookup }) => lookup !== address.lookup);
  return others.length === 0 || (isUsable(address) && !others.some(isUsable));
};

/** The addresses of one person, as they see and change them themselves. */
export const makeOwnAddresses = ({ addresses, subscriptions }: Stores, { keyring, edges }: Tools) => {
  // the look-up itself stays inside: pages show a name that is worth nothing elsewhere
  const idOf = ({ lookup }: Address): string => keyring.mac('own-address', lookup, 16).toString('base64url');

  const followsSomething = async ({ ordinal }: Subscriber): Promise<boolean> =>
    (await subscriptions.subscriptionsOf(ordinal)).some(({ stoppedAt }) => stoppedAt === null);

  const lastAddress = (): AppError =>
    new AppError('wrong-state', 'The last address stays while anything is followed; add another one first');

  return {
    list: async ({ ordinal }: Subscriber): Promise<OwnAddress[]> =>
      (await addresses.ofSubscribers([ordinal])).map((address) => {
        const contact = openContact(keyring, address);
        const { channel, verifiedAt, suppressed } = address;
        return { id: idOf(address), channel, contact, masked: maskContact(contact), verifiedAt, suppressed };
      }),
    remove: async (person: Subscriber, id: string): Promise<void> => {
      const held = await addresses.ofSubscribers([person.ordinal]);
      const address = held.find((one) => idOf(one) === id);
      if (!address) throw new AppError('not-found', 'There is no such address');
      const follows = await followsSomething(person);
      if (follows && isLast(address, held)) throw lastAddress();
      await addresses.remove(address.lookup, person.ordinal);
      // two removed at once, each of which saw the other
      if (follows && isLast(address, await addresses.ofSubscribers([person.ordinal]))) {
        await addresses.claim(address);
        throw lastAddress();
      }
      await addresses.suppress(address.lookup, erasedReason, edges.now());
    },
    /** Takes the address of that id away for a proved one; none, one that is gone, and the proved one itself change nothing. */
    replace: async (
      { ordinal }: Subscriber,
      proved: Pick<Address, 'lookup'>,
      id: string | undefined,
    ): Promise<void> => {
      const old = (await addresses.ofSubscribers([ordinal])).find((one) => idOf(one) === id);
      if (!old || old.lookup === proved.lookup) return;
      await addresses.remove(old.lookup, ordinal);
      await addresses.suppress(old.lookup, erasedReason, edges.now());
    },
  };
};
