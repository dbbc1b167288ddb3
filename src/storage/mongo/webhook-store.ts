import type { mongo } from 'mongoose';
import { decodeCursor, encodeCursor } from '../../cursor.ts';
import type { Webhook, WebhookDelivery } from '../../webhooks/webhook.ts';
import type { WebhookStore } from '../../webhooks/webhook-store.ts';
import { insertMissing } from './writes.ts';

type WebhookDocument = Omit<Webhook, 'id'> & { _id: string };
type DeliveryDocument = WebhookDelivery & { _id: string; token: string | null; leasedUntil: number };

const keyOf = ({ webhook, event }: Pick<WebhookDelivery, 'webhook' | 'event'>): string => `${webhook} ${event}`;

const fromDocument = (found: WebhookDocument): Webhook => ({
  id: found._id,
  url: found.url,
  events: found.events,
  secret: found.secret,
  createdAt: found.createdAt,
});

const fromDelivery = (found: DeliveryDocument): WebhookDelivery => ({
  webhook: found.webhook,
  event: found.event,
  type: found.type,
  body: found.body,
  at: found.at,
  state: found.state,
  attempts: found.attempts,
  dueAt: found.dueAt,
  giveUpAt: found.giveUpAt,
  response: found.response,
});

/** Above every key of a delivery. */
const newest: [number, string] = [Number.MAX_SAFE_INTEGER, '\u{10ffff}'];

/** Webhooks over MongoDB: a claim marks the deliveries it found while they are still free, and reads back which it got. */
export const mongoWebhookStore = (db: mongo.Db): WebhookStore => {
  const webhooks = db.collection<WebhookDocument>('webhooks');
  const deliveries = db.collection<DeliveryDocument>('webhook_deliveries');

  return {
    insert: async ({ id, ...webhook }) => {
      await webhooks.insertOne({ _id: id, ...webhook });
    },
    get: async (id) => {
      const found = await webhooks.findOne({ _id: id });
      return found && fromDocument(found);
    },
    list: async () => (await webhooks.find().sort({ createdAt: 1, _id: 1 }).toArray()).map(fromDocument),
    remove: async (id) => {
      const removed = (await webhooks.deleteOne({ _id: id })).deletedCount > 0;
      await deliveries.deleteMany({ webhook: id });
      return removed;
    },
    enqueue: (list) =>
      insertMissing(
        deliveries,
        list.map((delivery) => ({ _id: keyOf(delivery), ...delivery, token: null, leasedUntil: 0 })),
      ),
    claim: async (token, now, leaseMs, limit) => {
      if (limit === 0) return [];
      const free = { state: 'pending' as const, dueAt: { $lte: now }, leasedUntil: { $lte: now } };
      const found = await deliveries
        .find(free, { projection: { _id: 1 } })
        .sort({ dueAt: 1, event: 1 })
        .limit(limit)
        .toArray();
      if (found.length === 0) return [];
      const ids = { $in: found.map((one) => one._id) };
      await deliveries.updateMany({ _id: ids, ...free }, { $set: { token, leasedUntil: now + leaseMs } });
      const mine = await deliveries.find({ _id: ids, token }).sort({ dueAt: 1, event: 1 }).toArray();
      return mine.map(fromDelivery);
    },
    settle: async (of, token, { state, attempts, dueAt, response }) => {
      const settled = await deliveries.updateOne(
        { _id: keyOf(of), token },
        { $set: { state, attempts, dueAt, response, token: null, leasedUntil: 0 } },
      );
      return settled.matchedCount > 0;
    },
    page: async (webhook, state, { cursor, limit }) => {
      const [at, event] = decodeCursor(cursor, newest);
      const rows = await deliveries
        .find({
          webhook,
          ...(state === null ? {} : { state }),
          $or: [{ at: { $lt: at } }, { at, event: { $lt: event } }],
        })
        .sort({ at: -1, event: -1 })
        .limit(limit + 1)
        .toArray();
      const last = rows.length > limit ? rows[limit - 1] : undefined;
      return {
        rows: rows.slice(0, limit).map(fromDelivery),
        next: last ? encodeCursor([last.at, last.event]) : null,
      };
    },
    replay: async (webhook, which, now, giveUpAt) => {
      const chosen = 'event' in which ? { event: which.event } : { at: { $gte: which.from, $lte: which.to } };
      const again = await deliveries.updateMany(
        { webhook, ...chosen, leasedUntil: { $lte: now } },
        { $set: { state: 'pending', attempts: 0, dueAt: now, giveUpAt, token: null } },
      );
      return again.matchedCount;
    },
    forgetBefore: async (before) => {
      await deliveries.deleteMany({ state: { $in: ['sent', 'failed'] }, at: { $lt: before } });
    },
  };
};
