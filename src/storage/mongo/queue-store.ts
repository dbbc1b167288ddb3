import type { mongo } from 'mongoose';
import type { TransactionalMessage } from '../../channels/courier.ts';
import { lanes, rankOf } from '../../fanout/push.ts';
import {
  countedAtMost,
  type QueueDepth,
  type QueueName,
  type QueueStore,
  sumDepths,
} from '../../fanout/queue-store.ts';
import type { WebhookDelivery } from '../../webhooks/webhook.ts';
import type { DeliveryDocument } from './ledger/documents.ts';
import { pushCollections } from './push-documents.ts';

type DueRow = { dueAt: number | null };

/** The port over MongoDB: sums are made here, because not every server groups. */
export const mongoQueueStore = (db: mongo.Db): QueueStore => {
  const { pushes, batches } = pushCollections(db);
  const deliveries = db.collection<DeliveryDocument>('deliveries');

  const counted = async <D extends DueRow>(
    queue: QueueName,
    collection: mongo.Collection<D>,
    filter: mongo.Filter<D>,
  ): Promise<QueueDepth> => {
    const [first] = await collection.find(filter).project({ dueAt: 1 }).sort({ dueAt: 1 }).limit(1).toArray();
    if (!first) return { queue, waiting: 0, since: null };
    const waiting = await collection.countDocuments(filter, { limit: countedAtMost });
    return { queue, waiting, since: first.dueAt ?? null };
  };

  const ofLanes = async (): Promise<QueueDepth[]> => {
    const unfinished = await pushes
      .find({ finishedAt: null }, { projection: { state: 1, lane: 1, createdAt: 1 } })
      .toArray();
    const going = unfinished.filter(({ state }) => state === 'running' || state === 'cancelled').map(({ _id }) => _id);
    const open = await batches
      .find({ open: true, push: { $in: [null, ...going] } }, { projection: { lane: 1, people: 1, since: 1 } })
      .toArray();
    return [
      ...unfinished
        .filter(({ state }) => state === 'planning')
        .map(({ lane, createdAt }) => ({ queue: lane, waiting: 0, since: createdAt })),
      ...open.map(({ lane, people, since }) => ({ queue: lanes[lane] ?? 'bulk', waiting: people, since })),
    ];
  };

  /** By lane, without the rows of what is paused or cancelled. */
  const dueAgain = async (now: number): Promise<QueueDepth[]> => {
    const resting = await pushes
      .find({ state: { $in: ['paused', 'cancelled'] }, finishedAt: null }, { projection: { _id: 1 } })
      .toArray();
    const waits = { state: rankOf('deferred'), holder: null, dueAt: { $ne: null, $lte: now } };
    const push = { $nin: resting.map(({ _id }) => _id) };
    return Promise.all(lanes.map((queue, lane) => counted(queue, deliveries, { ...waits, lane, push })));
  };

  return {
    depths: async (now) => {
      const digested = { state: rankOf('digested'), holder: null, dueAt: { $ne: null, $lte: now } };
      const messages = db.collection<Omit<TransactionalMessage, 'id'>>('transactional');
      const calls = db.collection<WebhookDelivery>('webhook_deliveries');
      return sumDepths([
        ...(await ofLanes()),
        ...(await dueAgain(now)),
        await counted('digest', deliveries, digested),
        await counted('transactional', messages, { dueAt: { $lte: now } }),
        await counted('webhooks', calls, { state: 'pending', dueAt: { $lte: now } }),
      ]);
    },
  };
};
