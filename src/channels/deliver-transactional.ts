import type { Edges } from '../edges.ts';
import type { Keyring } from '../keyring.ts';
import type { Log } from '../log.ts';
import type { ChannelName } from '../subscriptions/follow.ts';
import type { Contact } from '../subscriptions/subscriber.ts';
import type { Channel, SendResult } from './channel.ts';
import {
  nobodys,
  type SealedMessage,
  sealContextOf,
  type TransactionalMessage,
  type TransactionalStore,
} from './courier.ts';
import { failure } from './result.ts';

export type DeliveryTools = {
  channels: ReadonlyMap<ChannelName, Channel>;
  keyring: Pick<Keyring, 'open'>;
  edges: Pick<Edges, 'now' | 'random' | 'monotonic'>;
  log: Log;
  leaseMs: number;
  /** Hears of an address that a server refused for good; `detail` holds its words. */
  refused?: (to: Contact, refusal: { message: string; channel: ChannelName; detail: string }) => Promise<void>;
};

/** What happens next to a message: null, it is settled; else when it is tried again. */
type Next = { dueAt: number; attempts: number } | null;

const firstWaitMs = 2_000;
const longestWaitMs = 300_000;
const claimedAtOnce = 20;

/** When a message whose attempt failed is due again; doubled each time, half to one and a half of it, so that retries spread. */
export const nextAttempt = (
  message: Pick<TransactionalMessage, 'attempts' | 'expiresAt'>,
  result: SendResult,
  now: number,
  random: number,
): Next => {
  if (result.ok || result.kind === 'permanent') return null;
  const backoff = Math.min(firstWaitMs * 2 ** message.attempts, longestWaitMs) * (0.5 + random);
  const dueAt = Math.round(now + Math.max(backoff, result.retryAfterMs ?? 0));
  if (dueAt >= message.expiresAt) return null;
  return { dueAt, attempts: message.attempts + 1 };
};

/**
 * Sends the transactional messages that are due (a chunk of them) and settles each: sent, put off, or given up when refused for good
 * or past its time. Answers how many were claimed; 0 means there is nothing to do now. A message is not begun in the last
 * third of its lease, because then another worker may soon have it.
 */
export const deliverTransactional = async (
  stores: { transactional: TransactionalStore },
  tools: DeliveryTools,
  token: string,
  signal: AbortSignal,
): Promise<number> => {
  const { channels, keyring, edges, log, leaseMs, refused } = tools;
  const { transactional } = stores;

  const report = async (to: Contact, { id, channel }: TransactionalMessage, detail: string): Promise<void> => {
    try {
      await refused?.(to, { message: id, channel, detail });
    } catch (error) {
      log.warn({ error }, 'a refusal could not be kept; the next message meets it again');
    }
  };

  const attempt = async (message: TransactionalMessage): Promise<SendResult> => {
    const channel = channels.get(message.channel);
    if (!channel) return failure('none', { kind: 'permanent', reason: 'refused' }, `no channel ${message.channel}`);
    let opened: SealedMessage;
    try {
      opened = JSON.parse(keyring.open(message.sealed, sealContextOf(message.id)));
    } catch (error) {
      // the key may come back (a rotation under way): it is tried until it expires
      return failure('none', { kind: 'transient', reason: 'storage' }, String(error));
    }
    const { to, ...said } = opened;
    if (to === null) return failure('none', { kind: 'permanent', reason: 'refused' }, 'it is nobody’s');
    const result = await channel.send({ id: message.id, to, ...said }, signal);
    if (!result.ok && result.kind === 'permanent') await report(to, message, result.detail);
    return result;
  };

  const settle = async (message: TransactionalMessage, freshUntil: number): Promise<void> => {
    if (signal.aborted || edges.monotonic() > freshUntil) return;
    if (message.expiresAt === nobodys) return transactional.settle(message.id, token, null);
    const isLate = message.expiresAt <= edges.now();
    const result = isLate
      ? failure('none', { kind: 'permanent', reason: 'refused' }, 'its time is over')
      : await attempt(message);
    if (!result.ok && result.reason === 'aborted') return;
    const next = nextAttempt(message, result, edges.now(), edges.random());
    await transactional.settle(message.id, token, next);
    if (result.ok) return;
    const facts = { message: message.id, channel: message.channel, reason: result.reason, detail: result.detail };
    if (next) log.warn({ ...facts, again: new Date(next.dueAt).toISOString() }, 'a transactional message waits');
    else log.error(facts, 'a transactional message is given up');
  };

  const freshUntil = edges.monotonic() + (leaseMs * 2) / 3;
  const claimed = await transactional.claim(token, edges.now(), leaseMs, claimedAtOnce);
  await Promise.all(claimed.map((message) => settle(message, freshUntil)));
  return claimed.length;
};
