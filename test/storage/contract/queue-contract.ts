import type { QueueName, QueueStore } from '../../../src/fanout/queue-store.ts';
import { queueNames } from '../../../src/fanout/queue-store.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { at, makeBatch, makeDelivery, makePush } from '../../helpers/fanout-builders.ts';
import { eachPair, type Pair } from './pair.ts';

type Stores = Pick<Storage, 'pushes' | 'ledger' | 'transactional' | 'webhooks'> & { queues: QueueStore };

/** What operators see of the queues on every storage. */
export const describeQueueStore = (name: string, open: () => Promise<Pair<Stores>>): unknown =>
  describe(`queues: ${name}`, () => {
    let stores: Stores;
    let other: Stores;
    eachPair(open, (pair) => {
      [stores, other] = pair;
    });
    const now = at + 60_000;
    const depth = async (queue: QueueName, when = now): Promise<[number, number | null]> => {
      const found = (await other.queues.depths(when)).find((one) => one.queue === queue);
      return [found?.waiting ?? -1, found?.since ?? null];
    };

    it('names every queue, each empty at first', async () => {
      expect(await stores.queues.depths(now)).toEqual(queueNames.map((queue) => ({ queue, waiting: 0, since: null })));
    });

    it('counts the people of batches that are not done, since their push was made', async () => {
      await stores.pushes.insert(makePush({ lane: 'bulk' }));
      await stores.pushes.insertBatches([makeBatch({ lane: 'bulk' })]);
      expect(await depth('bulk')).toEqual([3, at]);
      const claim = await stores.pushes.claim('token', ['bulk']);
      expect(await depth('bulk')).toEqual([3, at]);
      await stores.pushes.setState('push-1', ['running'], 'paused');
      expect(await depth('bulk')).toEqual([0, null]);
      await stores.pushes.setState('push-1', ['paused'], 'running');
      await stores.pushes.close(claim?.batch.id ?? '', 'token');
      expect(await depth('bulk')).toEqual([0, null]);
    });

    it('knows since when a push waits to be planned', async () => {
      await stores.pushes.insert(makePush({ state: 'planning', lane: 'emergency' }));
      expect(await depth('emergency')).toEqual([0, at]);
    });

    /** One row in a closed batch of `push-1`. */
    const row = async (fields: { state: 'deferred' | 'digested'; dueAt: number }): Promise<void> => {
      await stores.pushes.insert(makePush());
      await stores.pushes.insertBatches([makeBatch()]);
      const batch = (await stores.pushes.claim('token', ['at-once']))?.batch.id ?? '';
      await stores.ledger.insertDeliveries({ batch, token: 'token' }, [makeDelivery(fields)]);
      await stores.pushes.close(batch, 'token');
    };

    it('counts rows that are due again, since they were due, and as a batch once they are gathered', async () => {
      await row({ state: 'deferred', dueAt: at + 500 });
      expect(await depth('at-once', at + 499)).toEqual([0, null]);
      expect(await depth('at-once')).toEqual([1, at + 500]);
      await stores.ledger.gatherDue('due:1', now, 10);
      expect(await depth('at-once', now + 5)).toEqual([1, now]);
    });

    it('counts what is due of a paused push nowhere', async () => {
      await row({ state: 'deferred', dueAt: at + 500 });
      await stores.pushes.setState('push-1', ['running'], 'paused');
      expect(await depth('at-once')).toEqual([0, null]);
    });

    it('counts rows that are due for a digest', async () => {
      await row({ state: 'digested', dueAt: at + 700 });
      expect(await depth('digest')).toEqual([1, at + 700]);
    });

    it('counts transactional messages and calls to webhooks that are due', async () => {
      const message = { id: 'm1', channel: 'email' as const, sealed: 'x', attempts: 0, expiresAt: now + 1_000 };
      await stores.transactional.enqueue({ ...message, dueAt: at });
      await stores.transactional.enqueue({ ...message, id: 'm2', dueAt: now + 1 });
      const call = {
        webhook: 'w',
        event: 'e',
        type: 'push.done' as const,
        body: '{}',
        at,
        attempts: 0,
        response: null,
      };
      await stores.webhooks.enqueue([{ ...call, state: 'pending', dueAt: at + 3, giveUpAt: now + 1_000 }]);
      expect([await depth('transactional'), await depth('webhooks')]).toEqual([
        [1, at],
        [1, at + 3],
      ]);
    });
  });
