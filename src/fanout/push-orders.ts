import { demandOwn } from '../access/departments.ts';
import { demandWriter } from '../access/rights.ts';
import type { Edges } from '../edges.ts';
import { AppError } from '../errors.ts';
import type { Actor } from '../publishing/item.ts';
import type { Storage } from '../storage/storage.ts';
import type { FanoutService } from './fanout-service.ts';
import type { PushAudience } from './push.ts';
import type { PushOrder } from './push-order-store.ts';

export type PushOrderService = {
  /**
   * A targeted push for later; asking again with the same id answers the same. Throws `not-found`, `no-scope`, `wrong-state` (the item is not
   * published), `invalid` (a time that has passed, unknown people).
   */
  order(wanted: Omit<PushOrder, 'by' | 'failed'>, actor: Actor): Promise<PushOrder>;
  get(id: string): Promise<PushOrder | null>;
  /** Those that wait or could not start, the earliest first. */
  list(limit: number): Promise<PushOrder[]>;
  /** Takes an order back; if it started meanwhile, its push is cancelled. Throws `not-found`, `no-scope` (another department's item). */
  cancel(id: string, actor: Actor): Promise<void>;
  /** Starts what is due; answers how many. What cannot start any more stays, with the reason. */
  startDue(): Promise<number>;
};

const dueAtOnce = 100;

/** Pushes at a time of their own. An order ends only once its push stands under the same id, so that a crash between repeats it. */
export const makePushOrders = (
  { pushOrders, subscriptions, pushes, items }: Pick<Storage, 'pushOrders' | 'subscriptions' | 'pushes' | 'items'>,
  { fanout, edges }: { fanout: Pick<FanoutService, 'push' | 'cancel' | 'checkPush'>; edges: Pick<Edges, 'now'> },
): PushOrderService => {
  /** Without whoever was erased since. */
  const stillThere = async (audience: PushAudience): Promise<PushAudience> => {
    if (audience.kind !== 'people') return audience;
    const found = await Promise.all(audience.subscribers.map((id) => subscriptions.subscriber({ id })));
    const there = audience.subscribers.filter((_, at) => found[at] && found[at].erasedAt === null);
    return { kind: 'people', subscribers: there };
  };

  const start = async ({ id, item, audience, channels, note, by }: PushOrder): Promise<void> => {
    // what the account may push was asked when it gave the order
    const actor: Actor = { staff: by, roles: ['publisher'], departments: [] };
    try {
      await fanout.push({ id, item, audience: await stillThere(audience), channels, note }, actor);
    } catch (error) {
      if (!(error instanceof AppError) || error.code === 'store-unavailable') throw error;
      await pushOrders.fail(id, error.code);
      return;
    }
    await pushOrders.remove(id);
  };

  return {
    order: async (wanted, actor) => {
      const before = await pushOrders.get(wanted.id);
      if (before) return before;
      if (wanted.at <= edges.now())
        throw new AppError('invalid', 'The time has passed.', { faults: [{ path: 'at', message: 'must lie ahead' }] });
      await fanout.checkPush(wanted.item, wanted.audience, actor);
      return pushOrders.insert({ ...wanted, by: actor.staff, failed: null });
    },
    get: (id) => pushOrders.get(id),
    list: (limit) => pushOrders.list(limit),
    cancel: async (id, actor) => {
      demandWriter(actor);
      const order = await pushOrders.get(id);
      if (order) demandOwn(actor, (await items.get({ id: order.item }))?.content.departments ?? []);
      if (!(await pushOrders.remove(id))) throw new AppError('not-found', 'There is no such order.');
      if (await pushes.get(id)) await fanout.cancel(id, actor);
    },
    startDue: async () => {
      const due = await pushOrders.due(edges.now(), dueAtOnce);
      // taken back while others were started
      for (const { id } of due) {
        const order = await pushOrders.get(id);
        if (order?.failed === null) await start(order);
      }
      return due.length;
    },
  };
};
