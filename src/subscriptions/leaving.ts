import { AppError } from '../errors.ts';
import { readLink, signLink } from '../signed-link.ts';
import { openContact } from './address.ts';
import { makeErase } from './erase.ts';
import { presentPerson } from './people.ts';
import { hourMs, mayBeAsked, type PeopleTools } from './sign-up-service.ts';
import type { Subscriber } from './subscriber.ts';
import type { AddressStore, SignUpStore, SubscriptionStore } from './subscription-store.ts';

/** So long may whoever asked to be forgotten take it back. */
const leaveMs = 7 * 24 * hourMs;
/** Clocks of machines differ: nobody is erased while another machine still lets them stay. */
const graceMs = hourMs;
const erasedAtOnce = 100;

export type Leaving = {
  /**
   * Has a person forgotten in a week: from now on they are told nothing, and a link by which they stay goes to each of their
   * addresses. Answers when (ms); asking again changes nothing and sends nothing. Throws `not-found`, and
   * `too-many` for whoever leaves and stays in turns.
   */
  leave(id: string): Promise<number>;
  /** When (ms) whoever a link is for will be erased, or null if they stay after all. Throws `bad-link`, `link-expired`. */
  leavesAt(token: string): Promise<number | null>;
  /** Takes it back by the link; repeating it changes nothing. Throws `bad-link`, `link-expired`. */
  stayBy(token: string): Promise<void>;
  /** Takes it back for somebody who is signed in. Throws `not-found`. */
  stay(id: string): Promise<void>;
  /** Erases those whose week is over; answers how many. */
  eraseLeavers(signal: AbortSignal): Promise<number>;
};

type Stores = {
  subscriptions: Pick<SubscriptionStore, 'subscriber' | 'leave' | 'leaving' | 'erase'>;
  addresses: Pick<AddressStore, 'ofSubscribers'>;
  signUps: Pick<SignUpStore, 'takeMessage'>;
};
type Tools = Pick<PeopleTools, 'keyring' | 'edges' | 'courier' | 'forgetSent' | 'templates' | 'config'>;

/** Being forgotten, with a week to think better of it. */
export const makeLeaving = ({ subscriptions, addresses, signUps }: Stores, tools: Tools): Leaving => {
  const { keyring, edges, courier, templates, config } = tools;
  const erase = makeErase({ subscriptions, addresses }, tools);

  const personOf = async (id: string): Promise<Subscriber> => {
    const person = await presentPerson(subscriptions, { id });
    if (!person) throw new AppError('not-found', 'There is no such person');
    return person;
  };

  const personBehind = async (token: string): Promise<Subscriber> => {
    const reading = readLink(keyring, 'stay', token, edges.now());
    if (!reading.ok && reading.reason === 'bad') throw new AppError('bad-link', 'The link is not valid');
    const person = reading.ok ? await presentPerson(subscriptions, { id: reading.subject }) : null;
    if (!person) throw new AppError('link-expired', 'The week is over');
    return person;
  };

  /** Everywhere: whoever owns one of the addresses may be another than whoever holds the open page. */
  const tell = async (person: Subscriber, leavesAt: number): Promise<void> => {
    const link = `${config.publicUrl}/stay/${signLink(keyring, 'stay', person.id, leavesAt)}`;
    const { content, slots } = templates.leaving({ locale: person.locale, link });
    for (const address of await addresses.ofSubscribers([person.ordinal]))
      if (address.suppressed === null) await courier.post(openContact(keyring, address), content, slots, leavesAt);
  };

  return {
    leave: async (id) => {
      const person = await personOf(id);
      if (person.leavesAt !== undefined) return person.leavesAt;
      // leaving and staying in turns would send a letter each time
      if (!(await mayBeAsked(signUps, `leaving:${person.id}`, edges.now())))
        throw new AppError('too-many', 'You asked for this several times; try again in a while.', {
          retryAfterSeconds: hourMs / 1000,
        });
      const leavesAt = edges.now() + leaveMs;
      // first: nobody may be erased who was not told
      await tell(person, leavesAt);
      await subscriptions.leave(person.ordinal, leavesAt);
      return leavesAt;
    },
    leavesAt: async (token) => (await personBehind(token)).leavesAt ?? null,
    stayBy: async (token) => {
      await subscriptions.leave((await personBehind(token)).ordinal, null);
    },
    stay: async (id) => {
      await subscriptions.leave((await personOf(id)).ordinal, null);
    },
    eraseLeavers: async (signal) => {
      let erased = 0;
      for (let due = [0]; due.length > 0 && !signal.aborted; ) {
        due = await subscriptions.leaving(edges.now() - graceMs, erasedAtOnce);
        for (const ordinal of due) await erase(ordinal);
        erased += due.length;
      }
      return erased;
    },
  };
};
