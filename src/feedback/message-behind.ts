import type { Edges } from '../edges.ts';
import type { Message } from '../fanout/ledger-store.ts';
import { honeypot, readMessageToken } from '../fanout/message-token.ts';
import type { Signer } from '../keyring.ts';
import type { ItemVersion } from '../publishing/item.ts';
import { readLink } from '../signed-link.ts';
import type { Storage } from '../storage/storage.ts';
import { presentPerson } from '../subscriptions/people.ts';
import type { Subscriber } from '../subscriptions/subscriber.ts';

export type BehindStores = Pick<Storage, 'ledger' | 'pushes' | 'items' | 'subscriptions'>;

/** One item version that a message told of, and by which push. */
type Told = { push: string; item: string; version: number };

/** All that a message's token leads to. `about`: the item that the link names; of a digest as a whole its first. */
export type Behind = {
  message: Message;
  about: Told;
  told: Told[];
  /** The link names no item, and there are several: nothing can be said of one of them. */
  whole: boolean;
  version: ItemVersion;
  /** Who they are now; null if they were erased. */
  person: Subscriber | null;
  /** The link is one that people do not see. */
  trapped: boolean;
  expired: boolean;
  /** When a server took the message; while that is not known, when it was made. */
  sentAt: number;
};

/** Finds what a message's token stands for; null for a token that is not ours, or whose message is gone. */
export const makeBehind = (
  stores: BehindStores,
  { keyring, edges }: { keyring: Signer; edges: Pick<Edges, 'now'> },
) => {
  /** A service worker holds a token of its own, and a mail client that of its unsubscribe link; they never expire. */
  const read = (token: string) => {
    const now = edges.now();
    const reading = readMessageToken(keyring, token, now);
    if (reading) return reading;
    for (const purpose of ['report', 'unsubscribe'] as const) {
      const other = readLink(keyring, purpose, token, now);
      if (other.ok) return { message: other.subject, part: null, expired: false };
    }
    return null;
  };

  const toldBy = async (message: Message): Promise<Told[]> => {
    const rows = message.kind === 'digest' ? await stores.ledger.rowsOfDigest(message.id) : [];
    const named = [...rows, ...(message.kept ?? [])].map((row) => row.push);
    const ids = message.push === null ? [...new Set(named)].sort() : [message.push];
    const pushes = await Promise.all(ids.map((id) => stores.pushes.get(id)));
    return pushes.flatMap((push) => (push ? [{ push: push.id, item: push.item, version: push.version }] : []));
  };

  return async (token: string): Promise<Behind | null> => {
    const reading = read(token);
    const message = reading && (await stores.ledger.message(reading.message));
    if (!reading || !message) return null;
    const { part, expired } = reading;
    const told = await toldBy(message);
    const trapped = part === honeypot;
    const about = part === null || trapped ? told[0] : told.find(({ item }) => item === part);
    const version = about && (await stores.items.version(about.item, about.version));
    if (!about || !version) return null;
    const person = await presentPerson(stores.subscriptions, { ordinal: message.ordinal });
    const sentAt = message.attempts.find(({ ok }) => ok)?.at ?? message.createdAt;
    const whole = told.length > 1 && (part === null || trapped);
    return { message, about, told, whole, version, person, trapped, expired, sentAt };
  };
};
