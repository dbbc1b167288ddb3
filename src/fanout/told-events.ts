import type { ItemVersion } from '../publishing/item.ts';
import type { WebhookEvent } from '../webhooks/webhook.ts';
import type { Delivery } from './ledger-store.ts';
import { type Counts, type Push, rankOf } from './push.ts';

/** A version that people are told of is public. */
export const publishedEvent = ({ item, version, kind, content, at }: ItemVersion, push: Push): WebhookEvent => ({
  type: 'item.published',
  key: [item, version],
  at,
  data: {
    item,
    version,
    kind,
    title: content.title,
    language: content.language,
    topics: content.topics,
    push: push.id,
  },
});

/** A push is over: done, or cancelled with everybody settled. One that goes on and ends again is told again. */
export const endEvent = (push: Push, counts: Counts): WebhookEvent => {
  const at = push.finishedAt ?? push.createdAt;
  const { id, item, version, state, lane } = push;
  return { type: 'push.done', key: [id, at], at, data: { push: id, item, version, state, lane, counts } };
};

/** Whether a row says more of its person than another: the better state, the later of two alike. */
const outranks = (a: Delivery, b: Delivery): boolean =>
  a.state === b.state ? a.at > b.at : rankOf(a.state) > rankOf(b.state);

/** One event for each person of whom no row says better than failed or bounced. */
export const failureEvents = ({ id, item, version }: Push, rows: Delivery[]): WebhookEvent[] => {
  const best = new Map<number, Delivery>();
  for (const row of rows) {
    const other = best.get(row.ordinal);
    if (!other || outranks(row, other)) best.set(row.ordinal, row);
  }
  return [...best.values()]
    .filter(({ state }) => state === 'failed' || state === 'bounced')
    .map(({ ordinal, channel, state, code, attempts, at, message }) => ({
      type: 'delivery.failed',
      key: [id, ordinal, channel ?? '', at],
      at,
      data: { delivery: message, push: id, item, version, channel, state, code, attempts },
    }));
};
