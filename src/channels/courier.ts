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
  /**
   * The work of `post`, to nobody: a row that names no address and is never sent, so that the time of an answer does not tell whether
   * a letter leaves.
   */
  pretend(channel: ChannelName, content: SharedContent, slots: Partial<Slots>): Promise<void>;
};

/** When a row expires that was made to be nobody's. */
export const nobodys = 0;

/** What the seal of a transactional message holds; `to` null: it is nobody's. */
export type SealedMessage = { to: Contact | null; content: SharedContent; slots: Slots };

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
  const keep = async (
    channel: ChannelName,
    message: Omit<SealedMessage, 'slots'> & { slots: Partial<Slots> },
    expiresAt: number,
  ): Promise<void> => {
    const id = newId(edges);
    const slots: Slots = { unsubscribe: '', manage: '', item: '', reason: '', token: '', ...message.slots };
    const sealed = keyring.seal(JSON.stringify({ ...message, slots } satisfies SealedMessage), sealContextOf(id));
    await stores.transactional.enqueue({ id, channel, sealed, attempts: 0, dueAt: edges.now(), expiresAt });
    wake();
  };
  return {
    post: (to, content, slots, expiresAt) => keep(to.channel, { to, content, slots }, expiresAt),
    pretend: (channel, content, slots) => keep(channel, { to: null, content, slots }, nobodys),
  };
};
