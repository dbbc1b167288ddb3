import type { AfterAttempt, Webhook, WebhookDelivery } from './webhook.ts';

/** Which deliveries of a webhook: one by its event, or those whose event happened from `from` up to and with `to` (ms). */
export type WhichDeliveries = { event: string } | { from: number; to: number };

/** Webhooks, and the outbox of what they are told. */
export type WebhookStore = {
  insert(webhook: Webhook): Promise<void>;
  get(id: string): Promise<Webhook | null>;
  /** All of them, oldest first. */
  list(): Promise<Webhook[]>;
  /** Removes the webhook and its deliveries; answers whether it was there. */
  remove(id: string): Promise<boolean>;

  /** Inserts deliveries whose key (webhook, event) is free; others are left as they are. */
  enqueue(deliveries: WebhookDelivery[]): Promise<void>;
  /**
   * Leases up to `limit` pending deliveries that are due to `token`, longest due first, until `now + leaseMs`; those whose lease
   * has run out are due again. `token` is new at every call.
   */
  claim(token: string, now: number, leaseMs: number, limit: number): Promise<WebhookDelivery[]>;
  /** Records an attempt, or puts off, while `token` holds the delivery; answers whether it did. */
  settle(of: Pick<WebhookDelivery, 'webhook' | 'event'>, token: string, to: AfterAttempt): Promise<boolean>;
  /** Deliveries of a webhook, newest event first, by opaque cursor. */
  page(
    webhook: string,
    state: WebhookDelivery['state'] | null,
    page: { cursor: string | null; limit: number },
  ): Promise<{ rows: WebhookDelivery[]; next: string | null }>;
  /** Makes deliveries due at `now` as if never tried, until `giveUpAt`; those that are held are left alone. Answers how many. */
  replay(webhook: string, which: WhichDeliveries, now: number, giveUpAt: number): Promise<number>;
  /** Forgets what was sent or failed of events before `before` (ms). */
  forgetBefore(before: number): Promise<void>;
};
