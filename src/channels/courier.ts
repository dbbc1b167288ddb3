import { type Edges, newId } from '../edges.ts';
import type { Keyring } from '../keyring.ts';
import type { ChannelName } from '../subscriptions/follow.ts';
import type { Contact } from '../subscriptions/subscriber.ts';
import type { SharedContent, Slots } from './channel.ts';

/**
 * A transactional message (a confirmation, a code, a magic link, a letter about an application): asked for by one person,
 * kept as a row until it has left, sealed because it names the address.
 */
export type TransactionalMessage = {
  id: string;
  channel: ChannelName;
  /** Sealed JSON `{ to: Contact, content: SharedContent, slots: Slots }`, context `transactional:<id>`. */
  sealed: string;
  attempts: number;
  dueAt: number;
  /** After this it is given up. */
  expiresAt: number;
};

export type TransactionalStore = {
  /** Stores a message to be sent; an id that is there is left as it is. */
  enqueue(message: TransactionalMessage): Promise<void>;
  /** Leases up to `limit` due messages to `token` until `now + leaseMs`; messages whose lease has run out are due again. */
  claim(token: string, now: number, leaseMs: number, limit: number): Promise<TransactionalMessage[]>;
  /** Ends (null: sent or given up, the row goes) or puts off a message that `token` holds. */
  settle(id: string, token: string, next: { dueAt: number; attempts: number } | null): Promise<void>;
};

/** Hands a transactional message over durably: once this answers, it will leave though the process dies. */
export type Courier = {
  post(to: Contact, content: SharedContent, slots: Partial<Slots>, expiresAt: number): Promise<void>;
};

/** What the seal of a transactional message holds. */
export type SealedMessage = { to: Contact; content: SharedContent; slots: Slots };

export const sealContextOf = (id: string): string => `transactional:${id}`;

export type CourierTools = {
  keyring: Pick<Keyring, 'seal'>;
  edges: Pick<Edges, 'now' | 'bytes'>;
  /** Tells the workers that there is something to send. */
  wake: () => void;
};

/** Makes the courier: a sealed row, then a hint to the workers. Slots left out are empty. */
export const makeCourier = (stores: { transactional: TransactionalStore }, tools: CourierTools): Courier => {
  const { keyring, edges, wake } = tools;
  return {
    post: async (to, content, slots, expiresAt) => {
      const id = newId(edges);
      const all: Slots = { unsubscribe: '', manage: '', item: '', reason: '', token: '', ...slots };
      const sealed = keyring.seal(
        JSON.stringify({ to, content, slots: all } satisfies SealedMessage),
        sealContextOf(id),
      );
      await stores.transactional.enqueue({
        id,
        channel: to.channel,
        sealed,
        attempts: 0,
        dueAt: edges.now(),
        expiresAt,
      });
      wake();
    },
  };
};
