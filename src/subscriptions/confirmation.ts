import type { Edges } from '../edges.ts';
import { AppError } from '../errors.ts';
import type { Keyring } from '../keyring.ts';
import { type AdditionStores, makeAddition } from './addition.ts';
import { makeOwnAddresses } from './own-addresses.ts';
import { presentPerson } from './people.ts';
import type { Subscriber } from './subscriber.ts';
import type { SignUpRequest } from './subscription-service.ts';
import {
  type AddressStore,
  erasedReason,
  type SignUp,
  type SignUpStore,
  type SubscriptionStore,
} from './subscription-store.ts';
import { putWishes } from './wishes.ts';

/** What is kept of a request beside its sealed contact. `for`: the subscriber who adds the address to those they have. */
export type KeptRequest = Omit<SignUpRequest, 'contact'> & {
  locale: NonNullable<SignUpRequest['locale']>;
  for?: string;
  /** The address of theirs (by its own-address id) that goes once the new one is proved. */
  replaces?: string;
};

export const readKept = (signUp: Pick<SignUp, 'request'>): KeptRequest => JSON.parse(signUp.request) as KeptRequest;

export type ConfirmationStores = AdditionStores & {
  subscriptions: SubscriptionStore;
  addresses: AddressStore;
  signUps: SignUpStore;
};
export type ConfirmationTools = { keyring: Pick<Keyring, 'mac' | 'open'>; edges: Pick<Edges, 'now' | 'bytes'> };

/** Turns a proved sign-up into a subscriber with follows, or gives its address to the subscriber who asked for that. */
export type Confirmation = (signUp: SignUp) => Promise<{ subscriber: string }>;

/**
 * Every step may be repeated, and the sign-up is marked as confirmed last: a process that dies between two steps leaves a
 * link that finishes the work. A new person's id derives from the sign-up's, so that a repetition finds them.
 */
export const makeConfirmation = (stores: ConfirmationStores, { keyring, edges }: ConfirmationTools): Confirmation => {
  const { subscriptions, addresses, signUps } = stores;
  const own = makeOwnAddresses(stores, { keyring, edges });
  const add = makeAddition(stores, edges);
  const derivedId = (signUp: SignUp): string => keyring.mac('sign-up-subscriber', signUp.id, 16).toString('base64url');

  const owner = async ({ lookup }: SignUp): Promise<Subscriber | null> => {
    const address = await addresses.find(lookup);
    return address && presentPerson(subscriptions, { ordinal: address.subscriber });
  };

  const insertPerson = async (id: string, { locale, region, timeZone }: KeptRequest): Promise<void> => {
    const facts = {
      externalId: null,
      quietHours: null,
      digestHour: null,
      attributes: {},
      consents: { personalisation: false },
    };
    try {
      await subscriptions.insertSubscriber({ id, locale, region, timeZone, ...facts, createdAt: edges.now() });
    } catch (error) {
      // the same link, confirmed at the same time by another process
      if (!(error instanceof AppError) || error.code !== 'conflict') throw error;
    }
  };

  const newPerson = async (signUp: SignUp, kept: KeptRequest): Promise<Subscriber> => {
    const id = derivedId(signUp);
    if (!(await subscriptions.subscriber({ id }))) await insertPerson(id, kept);
    const person = await presentPerson(subscriptions, { id });
    if (!person) throw new AppError('bad-link', 'What this link was for has been erased');
    return person;
  };

  /** Gives the address to the person, or finds that somebody else has it since: then that is who they are. */
  const claim = async (signUp: SignUp, person: Subscriber): Promise<Subscriber> => {
    const { lookup, channel, sealed } = signUp;
    const address = { lookup, channel, sealed, verifiedAt: edges.now(), suppressed: null };
    const claimed = await addresses.claim({ ...address, subscriber: person.ordinal });
    if (claimed.outcome !== 'taken') return person;
    const winner = await presentPerson(subscriptions, { ordinal: claimed.subscriber });
    if (!winner || winner.ordinal === person.ordinal) return person;
    await subscriptions.merge(person.ordinal, winner.ordinal, edges.now());
    return winner;
  };

  const again = async (signUp: SignUp): Promise<{ subscriber: string }> => {
    const asker = readKept(signUp).for;
    const person = asker
      ? await presentPerson(subscriptions, { id: asker })
      : ((await owner(signUp)) ?? (await presentPerson(subscriptions, { id: derivedId(signUp) })));
    if (!person) throw new AppError('bad-link', 'What this link was for has been erased');
    return { subscriber: person.id };
  };

  return async (signUp) => {
    if (signUp.confirmedAt !== null) return again(signUp);
    const kept = readKept(signUp);
    if (kept.for) return add(signUp, kept.for, (person) => own.replace(person, signUp, kept.replaces));
    const person = await claim(signUp, (await owner(signUp)) ?? (await newPerson(signUp, kept)));
    await addresses.lift(signUp.lookup, erasedReason);
    // whoever asks to be told again stays
    if (person.leavesAt !== undefined) await subscriptions.leave(person.ordinal, null);
    await putWishes(stores, edges, person.ordinal, kept.follow);
    const region = person.region ?? kept.region;
    const timeZone = person.timeZone ?? kept.timeZone;
    await subscriptions.updateSubscriber(person.ordinal, { region, timeZone });
    await signUps.confirm(signUp.id, edges.now());
    return { subscriber: person.id };
  };
};
