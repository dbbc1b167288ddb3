import { type Edges, newId } from '../edges.ts';
import type { Keyring } from '../keyring.ts';
import type { Log } from '../log.ts';
import type { Storage } from '../storage/storage.ts';
import { afterAttempt, signedHeaders, type WebhookAnswer, type WebhookDelivery } from './webhook.ts';
import { secretContextOf } from './webhook-service.ts';

export type WebhookSenderTools = {
  keyring: Pick<Keyring, 'open'>;
  edges: Pick<Edges, 'now' | 'monotonic' | 'random' | 'bytes'>;
  log: Log;
  /** Posts the body; answers what the receiver said, or why it said nothing, within `limitMs`. Never throws. */
  post(url: string, headers: Record<string, string>, body: string, signal: AbortSignal): Promise<WebhookAnswer>;
  /** How long `post` takes at most, in ms: a claim is held for longer. */
  limitMs: number;
};

const claimedAtOnce = 20;
/** A receiver that said nothing is left alone for this long, so that those behind it need not wait for it to say nothing again. */
const silentMs = 30_000;

/** Sends what webhooks are due, a chunk at each call of the answered function, which says how many there were. */
export const makeWebhookSender = (stores: Pick<Storage, 'webhooks'>, tools: WebhookSenderTools) => {
  const { keyring, edges, log, post, limitMs } = tools;
  const { webhooks } = stores;
  /** By webhook: until when (monotonic) it is left alone. */
  const silent = new Map<string, number>();

  const attempt = async (delivery: WebhookDelivery, signal: AbortSignal): Promise<WebhookAnswer> => {
    const webhook = await webhooks.get(delivery.webhook);
    if (!webhook) return { status: 410, retryAfterMs: undefined, text: 'the webhook was removed' };
    const secret = keyring.open(webhook.secret, secretContextOf(webhook.id));
    const headers = signedHeaders(secret, delivery.event, edges.now(), delivery.body);
    return post(webhook.url, { ...headers, 'Content-Type': 'application/json' }, delivery.body, signal);
  };

  const send = async (delivery: WebhookDelivery, token: string, signal: AbortSignal): Promise<void> => {
    const { attempts, response } = delivery;
    const quiet = (silent.get(delivery.webhook) ?? 0) - edges.monotonic();
    const putOff = { state: 'pending' as const, attempts, response };
    if (quiet > 0)
      return void (await webhooks.settle(delivery, token, { ...putOff, dueAt: Math.ceil(edges.now() + quiet) }));
    const answer = await attempt(delivery, signal);
    // the process stops: whoever comes next tries it again
    if (signal.aborted && 'fault' in answer)
      return void (await webhooks.settle(delivery, token, { ...putOff, dueAt: delivery.dueAt }));
    if ('fault' in answer) silent.set(delivery.webhook, edges.monotonic() + silentMs);
    else silent.delete(delivery.webhook);
    const to = afterAttempt(delivery, answer, edges.now(), edges.random());
    await webhooks.settle(delivery, token, to);
    if (to.state !== 'sent')
      log.warn({ webhook: delivery.webhook, event: delivery.event, ...to }, 'a webhook was not taken');
  };

  return async (signal: AbortSignal): Promise<number> => {
    const token = newId(edges);
    const due = await webhooks.claim(token, edges.now(), limitMs * 2, claimedAtOnce);
    await Promise.all(due.map((delivery) => send(delivery, token, signal)));
    return due.length;
  };
};
