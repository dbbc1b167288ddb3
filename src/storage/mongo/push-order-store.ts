import type { mongo } from 'mongoose';
import type { PushOrder, PushOrderStore } from '../../fanout/push-order-store.ts';
import { insertIfFree } from './writes.ts';

/** What is asked for is JSON: a condition may hold names that no field of a document may have. */
type OrderDocument = Pick<PushOrder, 'at' | 'failed'> & { _id: string; body: string };

const orderOf = ({ _id, at, failed, body }: OrderDocument): PushOrder => ({ id: _id, ...JSON.parse(body), at, failed });

/** Pushes that wait for their time, over MongoDB. */
export const mongoPushOrderStore = (db: mongo.Db): PushOrderStore => {
  const orders = db.collection<OrderDocument>('push_orders');
  const get = async (id: string): Promise<PushOrder | null> => {
    const found = await orders.findOne({ _id: id });
    return found && orderOf(found);
  };
  const earliest = async (filter: mongo.Filter<OrderDocument>, limit: number): Promise<PushOrder[]> =>
    (await orders.find(filter).sort({ at: 1, _id: 1 }).limit(limit).toArray()).map(orderOf);
  return {
    insert: async (order) => {
      const { id, at, failed, ...body } = order;
      await insertIfFree(orders, { _id: id, at, failed, body: JSON.stringify(body) });
      return (await get(id)) ?? order;
    },
    get,
    list: (limit) => earliest({}, limit),
    due: (now, limit) => earliest({ failed: null, at: { $lte: now } }, limit),
    fail: async (id, code) => {
      await orders.updateOne({ _id: id }, { $set: { failed: code } });
    },
    remove: async (id) => (await orders.deleteOne({ _id: id })).deletedCount > 0,
  };
};
