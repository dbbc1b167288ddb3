import { createHash, createHmac } from 'node:crypto';
import type { Edges } from '../edges.ts';

/**
 * **event**: a fact that other systems are told: an item version that people are told of is public (`item.published`), a push
 * is over (`push.done`), a person of a push cannot be reached (`delivery.failed`), somebody reacted (`feedback.received`).
 */
export const webhookEvents = ['item.published', 'push.done', 'delivery.failed', 'feedback.received'] as const;
export type WebhookEventType = (typeof webhookEvents)[number];

/** `key` names the fact within its type: the same fact, told again after a crash, is the same event. `at` in ms. */
export type WebhookEvent = { type: WebhookEventType; key: (string | number)[]; at: number; data: object };

/** Hands an event over durably to every webhook that wants it; repeating it changes nothing. */
export type TellEvents = (events: WebhookEvent[]) => Promise<void>;

/** **webhook**: a URL of another system and the events that it is told. `secret` is sealed. */
export type Webhook = { id: string; url: string; events: WebhookEventType[]; secret: string; createdAt: number };

/** **delivery** of an event to a webhook: `event` is its webhook-id, the same in every attempt and replay. */
export type WebhookDelivery = {
  webhook: string;
  event: string;
  type: WebhookEventType;
  /** What is signed and posted, byte for byte. */
  body: string;
  at: number;
  state: 'pending' | 'sent' | 'failed';
  attempts: number;
  dueAt: number;
  /** The last attempt is made at this moment. */
  giveUpAt: number;
  /** What the receiver said last, or why it said nothing. */
  response: string | null;
};

/** What an attempt came to. */
export type WebhookAnswer = { status: number; retryAfterMs: number | undefined; text: string } | { fault: string };

/** How long an event is tried. */
export const triedForMs = 86_400_000;
/** How long what was sent or failed can be replayed. */
export const keptForMs = 30 * 86_400_000;
const firstPauseMs = 10_000;
const longestPauseMs = 3_600_000;

const eventIdOf = ({ type, key }: Pick<WebhookEvent, 'type' | 'key'>): string =>
  `evt_${createHash('sha256')
    .update([type, ...key].join('\u0000'))
    .digest('base64url')
    .slice(0, 22)}`;

/** A delivery of the event to a webhook, due at once. */
export const deliveryOf = (event: WebhookEvent, webhook: Webhook, now: number): WebhookDelivery => ({
  webhook: webhook.id,
  event: eventIdOf(event),
  type: event.type,
  body: JSON.stringify({ type: event.type, timestamp: new Date(event.at).toISOString(), data: event.data }),
  at: event.at,
  state: 'pending',
  attempts: 0,
  dueAt: now,
  giveUpAt: now + triedForMs,
  response: null,
});

const secretPrefix = 'whsec_';

/** A secret in the form of Standard Webhooks: 256 random bits, base64 after `whsec_`. */
export const newWebhookSecret = (edges: Pick<Edges, 'bytes'>): string =>
  `${secretPrefix}${edges.bytes(32).toString('base64')}`;

/** The headers of Standard Webhooks 1.0: `v1,` and the HMAC-SHA-256 of `id.timestamp.body`, base64; the timestamp is in seconds. */
export const signedHeaders = (secret: string, event: string, at: number, body: string): Record<string, string> => {
  const timestamp = Math.floor(at / 1000);
  const key = Buffer.from(secret.slice(secretPrefix.length), 'base64');
  const signature = createHmac('sha256', key).update(`${event}.${timestamp}.${body}`).digest('base64');
  return { 'webhook-id': event, 'webhook-timestamp': String(timestamp), 'webhook-signature': `v1,${signature}` };
};

/** The part of a delivery that an attempt changes. */
export type AfterAttempt = Pick<WebhookDelivery, 'state' | 'attempts' | 'dueAt' | 'response'>;

/**
 * Sent on any 2xx; failed on 410 Gone or once its day is over; else tried again after 10 s, doubled each time to an hour, half
 * to all of it, not before the receiver's Retry-After, and a last time when its day ends.
 */
export const afterAttempt = (
  delivery: Pick<WebhookDelivery, 'attempts' | 'dueAt' | 'giveUpAt'>,
  answer: WebhookAnswer,
  now: number,
  random: number,
): AfterAttempt => {
  const attempts = delivery.attempts + 1;
  const response = ('fault' in answer ? answer.fault : `${answer.status} ${answer.text}`).trim().slice(0, 300);
  const over = (state: 'sent' | 'failed'): AfterAttempt => ({ state, attempts, dueAt: delivery.dueAt, response });
  if ('status' in answer && answer.status >= 200 && answer.status < 300) return over('sent');
  if (now >= delivery.giveUpAt || ('status' in answer && answer.status === 410)) return over('failed');
  const backoff = Math.min(firstPauseMs * 2 ** Math.min(delivery.attempts, 20), longestPauseMs) * (0.5 + random / 2);
  const pause = Math.max(backoff, 'status' in answer ? (answer.retryAfterMs ?? 0) : 0);
  return { state: 'pending', attempts, dueAt: Math.min(Math.ceil(now + pause), delivery.giveUpAt), response };
};
