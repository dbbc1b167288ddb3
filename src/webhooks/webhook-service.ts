import { type Edges, newId } from '../edges.ts';
import { AppError } from '../errors.ts';
import type { Keyring } from '../keyring.ts';
import { isCallable } from '../public-address.ts';
import type { Storage } from '../storage/storage.ts';
import {
  deliveryOf,
  keptForMs,
  newWebhookSecret,
  type TellEvents,
  triedForMs,
  type Webhook,
  type WebhookDelivery,
  type WebhookEventType,
} from './webhook.ts';
import type { WebhookStore, WhichDeliveries } from './webhook-store.ts';

/** What the seal of a webhook's secret is bound to. */
export const secretContextOf = (webhook: string): string => `webhook:${webhook}`;

/** Every event is offered to each of them. */
const mostWebhooks = 100;

export type WebhookTools = {
  keyring: Pick<Keyring, 'seal'>;
  edges: Pick<Edges, 'now' | 'bytes'>;
  /** Private addresses may be called (tests on loopback). */
  allowPrivate: boolean;
  wake: () => void;
};

export type WebhookService = {
  /** Adds a webhook; the secret is told here only. Throws `invalid` for a URL that is not public https, `conflict` past 100. */
  add(url: string, events: WebhookEventType[]): Promise<{ webhook: Webhook; secret: string }>;
  list(): Promise<Webhook[]>;
  /** These four throw `not-found`. */
  get(id: string): Promise<Webhook>;
  remove(id: string): Promise<void>;
  deliveries(
    id: string,
    state: WebhookDelivery['state'] | null,
    page: { cursor: string | null; limit: number },
  ): ReturnType<WebhookStore['page']>;
  /** Sends again what is kept (30 days); answers how many deliveries are due again. */
  replay(id: string, which: WhichDeliveries): Promise<number>;
  /** Tells each webhook that wants them those events that happened since it was added. */
  tell: TellEvents;
  /** Forgets what can be replayed no longer. */
  forgetOld(): Promise<void>;
};

/** Webhooks: other systems are told what happened, in the form of Standard Webhooks 1.0. */
export const makeWebhookService = (stores: Pick<Storage, 'webhooks'>, tools: WebhookTools): WebhookService => {
  const { edges, keyring } = tools;
  const { webhooks } = stores;

  const known = async (id: string): Promise<Webhook> => {
    const webhook = await webhooks.get(id);
    if (!webhook) throw new AppError('not-found', `There is no webhook ${id}.`);
    return webhook;
  };

  const mayBeCalled = (text: string): boolean => {
    const url = new URL(text);
    return tools.allowPrivate ? url.protocol === 'https:' : isCallable(url);
  };

  return {
    add: async (url, events) => {
      if (!mayBeCalled(url))
        throw new AppError('invalid', 'The URL cannot be called.', {
          faults: [{ path: 'url', message: 'must be https, without credentials, and on the public internet' }],
        });
      if ((await webhooks.list()).length >= mostWebhooks)
        throw new AppError('conflict', `There are ${mostWebhooks} webhooks already.`);
      const id = newId(edges);
      const secret = newWebhookSecret(edges);
      const sealed = keyring.seal(secret, secretContextOf(id));
      const webhook = { id, url, events: [...new Set(events)], secret: sealed, createdAt: edges.now() };
      await webhooks.insert(webhook);
      return { webhook, secret };
    },
    list: () => webhooks.list(),
    get: known,
    remove: async (id) => {
      if (!(await webhooks.remove(id))) await known(id);
    },
    deliveries: async (id, state, page) => {
      await known(id);
      return webhooks.page(id, state, page);
    },
    replay: async (id, which) => {
      await known(id);
      const now = edges.now();
      const count = await webhooks.replay(id, which, now, now + triedForMs);
      tools.wake();
      return count;
    },
    tell: async (events) => {
      if (events.length === 0) return;
      const wanting = await webhooks.list();
      const now = edges.now();
      const due = wanting.flatMap((webhook) =>
        events
          .filter((event) => webhook.events.includes(event.type) && event.at >= webhook.createdAt)
          .map((event) => deliveryOf(event, webhook, now)),
      );
      if (due.length === 0) return;
      await webhooks.enqueue(due);
      tools.wake();
    },
    forgetOld: () => webhooks.forgetBefore(edges.now() - keptForMs),
  };
};
