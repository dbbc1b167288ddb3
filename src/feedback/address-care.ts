import { createHash } from 'node:crypto';
import type { Edges } from '../edges.ts';
import type { Message } from '../fanout/ledger-store.ts';
import type { Keyring } from '../keyring.ts';
import type { Log } from '../log.ts';
import type { Storage } from '../storage/storage.ts';
import { lookupOf, normaliseContact } from '../subscriptions/address.ts';
import { presentPerson } from '../subscriptions/people.ts';
import type { Address, Contact } from '../subscriptions/subscriber.ts';
import type { TellEvents } from '../webhooks/webhook.ts';
import type { Returned } from './return-store.ts';

const dayMs = 86_400_000;
/** So many soft bounces in so many days are one hard bounce. */
const softMost = 5;
const softWithinMs = 30 * dayMs;

/** So long after what was sent before counts for nothing any more. */
export const returnsKeptMs = softWithinMs;

/** When a server took the message last; while that is not known, when it was made. */
export const sentAt = ({ attempts, createdAt }: Message): number =>
  attempts.reduce(
    (latest, { ok, at, provider }) => (ok && provider !== 'service-worker' ? Math.max(latest, at) : latest),
    createdAt,
  );

/** A short name for what it is made of. */
export const hashOf = (...parts: (string | Uint8Array)[]): string => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\u0000');
  return hash.digest('base64url').slice(0, 22);
};

export type CareStores = Pick<Storage, 'addresses' | 'subscriptions' | 'returns'>;
export type CareTools = {
  keyring: Pick<Keyring, 'lookup'>;
  edges: Pick<Edges, 'now'>;
  config: { phoneCountry: string };
  tell: TellEvents;
  log: Pick<Log, 'info'>;
};

/** What comes back does to addresses, whichever way it comes. */
export const makeAddressCare = (stores: CareStores, { keyring, edges, config, tell, log }: CareTools) => {
  const { addresses, returns } = stores;
  const rules = { phoneCountry: config.phoneCountry, insecureEndpoints: false };

  const lookupFor = (contact: Contact): string | null => {
    const normal = normaliseContact(contact, rules);
    return normal.ok ? lookupOf(keyring, normal.contact) : null;
  };
  const heldBy = async ({ ordinal, channel }: Message): Promise<Address[]> => {
    const person = await presentPerson(stores.subscriptions, { ordinal });
    const held = person ? await addresses.ofSubscribers([person.ordinal]) : [];
    return held.filter((address) => address.channel === channel);
  };

  /** A message went to all live addresses of its channel: that it came back from one is all only where there is no other. */
  const stateAfter = (held: Address[], failing: Address | null): 'bounced' | null =>
    failing && held.every((one) => one.lookup === failing.lookup || one.suppressed !== null) ? 'bounced' : null;

  /** Nothing but what was sent after the address was verified says anything of it. Answers whether it is suppressed now. */
  const suppress = async ({ lookup, verifiedAt }: Address, reason: string, sent: number): Promise<boolean> => {
    if (sent < verifiedAt || !(await addresses.suppress(lookup, reason, edges.now()))) return false;
    log.info({ reason }, 'an address is suppressed');
    return true;
  };

  /** Bounces of what was sent before an operator lifted the suppression say what the operator knew. */
  const isLiftedSince = async ({ lookup }: Address, sent: number): Promise<boolean> =>
    (await returns.count(lookup, 'lifted', sent)) > 0;

  /** Keeps that something came back from an address; answers whether it is suppressed because of it. */
  const failed = async (address: Address, found: Omit<Returned, 'lookup' | 'at'>, sent: number): Promise<boolean> => {
    if (await isLiftedSince(address, sent)) return false;
    const at = edges.now();
    const isNew = await returns.record({ ...found, lookup: address.lookup, at });
    if (found.kind === 'hard') return suppress(address, 'hard-bounce', sent);
    if (found.kind !== 'soft' || !isNew) return false;
    const since = Math.max(at - softWithinMs, address.verifiedAt);
    const often = (await returns.count(address.lookup, 'soft', since)) >= softMost;
    return often && suppress(address, 'soft-bounces', sent);
  };

  const tellOf = (
    { id, push, channel }: Message,
    kind: string,
    reason: string,
    status: string | null,
  ): Promise<void> => {
    const at = edges.now();
    return tell([
      { type: 'feedback.received', key: [id, kind], at, data: { kind, message: id, push, channel, reason, status } },
    ]);
  };

  return { lookupFor, heldBy, stateAfter, suppress, isLiftedSince, failed, tellOf };
};

export type AddressCare = ReturnType<typeof makeAddressCare>;
