import { AppError } from '../errors.ts';
import { type MergeStores, mergeSubscribers, type Pause } from './merge.ts';
import { presentPerson } from './people.ts';
import type { Subscriber } from './subscriber.ts';
import { type AddressStore, erasedReason, type SignUp, type SignUpStore } from './subscription-store.ts';

export type AdditionStores = MergeStores & { addresses: AddressStore; signUps: Pick<SignUpStore, 'confirm'> };

/** Two people at once may each prove the same address: each round makes one of two, so few are ever needed. */
const roundsMost = 10;

const gone = (): AppError => new AppError('link-expired', 'What this link was for is no longer there');

const byAge = (a: Subscriber, b: Subscriber): [older: Subscriber, newer: Subscriber] =>
  a.createdAt < b.createdAt || (a.createdAt === b.createdAt && a.ordinal < b.ordinal) ? [a, b] : [b, a];

/**
 * Gives a proved address to the person who asked for it. If it is another subscriber's, both are proved to be one: the newer
 * is merged into the older (product: semantic 12). Every step may be repeated, alone or beside another confirmation.
 */
export const makeAddition = (stores: AdditionStores, { now, pause }: { now: () => number; pause?: Pause }) => {
  const { subscriptions, addresses, signUps } = stores;

  const present = async (by: Parameters<typeof presentPerson>[1]): Promise<Subscriber> => {
    const person = await presentPerson(subscriptions, by);
    if (!person) throw gone();
    return person;
  };

  /** Whoever was merged or erased between looking and claiming must not be left with the address. */
  const settled = async ({ lookup }: SignUp, holder: number): Promise<Subscriber> => {
    const person = await presentPerson(subscriptions, { ordinal: holder });
    if (!person) await addresses.remove(lookup, holder);
    else if (person.ordinal !== holder) await addresses.move(holder, person.ordinal);
    if (!person) throw gone();
    return person;
  };

  const uniteWith = async (holder: number, person: Subscriber, { lookup }: SignUp): Promise<void> => {
    const other = await presentPerson(subscriptions, { ordinal: holder });
    if (!other) await addresses.remove(lookup, holder);
    else if (other.ordinal === person.ordinal) await addresses.move(holder, other.ordinal);
    else {
      const [older, newer] = byAge(person, other);
      await mergeSubscribers(stores, newer, older, now(), pause);
    }
  };

  /** `proved` runs once the address is the person's, before the sign-up counts as confirmed: it may run again. */
  return async (
    signUp: SignUp,
    asker: string,
    proved: (person: Subscriber) => Promise<void> = async () => {},
  ): Promise<{ subscriber: string }> => {
    const { lookup, channel, sealed } = signUp;
    for (let round = 0; round < roundsMost; round++) {
      const person = await present({ id: asker });
      const address = { lookup, channel, sealed, verifiedAt: now(), suppressed: null };
      const claimed = await addresses.claim({ ...address, subscriber: person.ordinal });
      if (claimed.outcome === 'taken') {
        await uniteWith(claimed.subscriber, person, signUp);
        continue;
      }
      const owner = await settled(signUp, person.ordinal);
      await addresses.lift(lookup, erasedReason);
      // what was united must not be erased with the one of the two that was leaving
      if (owner.leavesAt !== undefined) await subscriptions.leave(owner.ordinal, null);
      await proved(owner);
      await signUps.confirm(signUp.id, now());
      return { subscriber: owner.id };
    }
    throw new Error('an address never came to rest between subscribers');
  };
};
