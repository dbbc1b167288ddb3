import type { Webhook, WebhookDelivery } from '../../../src/webhooks/webhook.ts';
import type { WebhookStore } from '../../../src/webhooks/webhook-store.ts';
import { eachPair, type Pair } from './pair.ts';

const at = Date.parse('2026-03-01T08:30:00.123Z');
const day = 86_400_000;

const makeWebhook = (fields: Partial<Webhook> = {}): Webhook => ({
  id: 'hook-1',
  url: 'https://desk.example.org/bellman?x=政务',
  events: ['push.done', 'delivery.failed'],
  secret: 'v1.key.密封',
  createdAt: at,
  ...fields,
});
const makeDelivery = (fields: Partial<WebhookDelivery> = {}): WebhookDelivery => ({
  webhook: 'hook-1',
  event: 'evt_1',
  type: 'push.done',
  body: '{"data":{"title":"停水通知"}}',
  at,
  state: 'pending',
  attempts: 0,
  dueAt: at,
  giveUpAt: at + day,
  response: null,
  ...fields,
});
const sent = { state: 'sent' as const, attempts: 1, dueAt: at, response: '200' };
const lease = 1_000;

/** What every store of webhooks keeps; it runs over each storage. */
export const describeWebhookStore = (name: string, open: () => Promise<Pair<WebhookStore>>): unknown =>
  describe(`webhook store: ${name}`, () => {
    let store: WebhookStore;
    let other: WebhookStore;
    eachPair(open, (stores) => {
      [store, other] = stores;
    });

    const page = async (state: WebhookDelivery['state'] | null = null, webhook = 'hook-1') =>
      (await other.page(webhook, state, { cursor: null, limit: 200 })).rows;

    it('keeps webhooks, oldest first, and removes one with its deliveries', async () => {
      await store.insert(makeWebhook());
      await other.insert(makeWebhook({ id: 'hook-2', createdAt: at + 1 }));
      expect(await other.list()).toEqual([makeWebhook(), makeWebhook({ id: 'hook-2', createdAt: at + 1 })]);
      expect(await other.get('hook-1')).toEqual(makeWebhook());
      await store.enqueue([makeDelivery(), makeDelivery({ webhook: 'hook-2' })]);
      expect(await other.remove('hook-1')).toBe(true);
      expect(await store.remove('hook-1')).toBe(false);
      expect(await store.get('hook-1')).toBeNull();
      expect([await page(), (await page(null, 'hook-2')).length]).toEqual([[], 1]);
    });

    it('knows nothing of unknown and malformed ids', async () => {
      for (const id of ['unknown', '', "'; --", '$ne', 'a\u0000b']) {
        expect(await store.get(id)).toBeNull();
        expect(await store.remove(id)).toBe(false);
        expect(await store.settle({ webhook: id, event: id }, id, sent)).toBe(false);
        expect(await store.replay(id, { event: id }, at, at)).toBe(0);
        expect(await page(null, id)).toEqual([]);
      }
    });

    it('takes an event for a webhook once, and leaves it as it is', async () => {
      await store.enqueue([makeDelivery()]);
      await other.enqueue([
        makeDelivery({ body: '{}' }),
        makeDelivery({ event: 'evt_2' }),
        makeDelivery({ event: 'evt_2' }),
      ]);
      await store.enqueue([]);
      expect((await page()).map(({ event, body }) => [event, body])).toEqual([
        ['evt_2', makeDelivery().body],
        ['evt_1', makeDelivery().body],
      ]);
    });

    it('gives out what is due, longest due first, to one of many who ask at once', async () => {
      await store.enqueue(
        Array.from({ length: 40 }, (_, n) => makeDelivery({ event: `evt_${100 + n}`, dueAt: at - n })),
      );
      await store.enqueue([makeDelivery({ event: 'later', dueAt: at + 1 })]);
      const claims = await Promise.all(
        Array.from({ length: 16 }, (_, n) => (n % 2 ? store : other).claim(`token-${n}`, at, lease, 5)),
      );
      const events = claims.flat().map((one) => one.event);
      expect(new Set(events).size).toBe(events.length);
      for (const claim of claims) expect(claim.map((one) => one.dueAt)).toEqual(claim.map((one) => one.dueAt).sort());
      for (let rest = await store.claim('last', at, lease, 50); rest.length > 0; rest = [])
        events.push(...rest.map((one) => one.event));
      expect(events.sort()).toEqual(Array.from({ length: 40 }, (_, n) => `evt_${100 + n}`));
      expect(await store.claim('none', at, lease, 0)).toEqual([]);
    });

    it('takes outcomes from its holder alone; one whose lease ran out holds nothing once another has claimed', async () => {
      await store.enqueue([makeDelivery()]);
      expect(await store.claim('one', at, lease, 5)).toEqual([makeDelivery()]);
      expect(await other.claim('two', at + lease - 1, lease, 5)).toEqual([]);
      expect(await other.claim('two', at + lease, lease, 5)).toHaveLength(1);
      expect(await store.settle(makeDelivery(), 'one', sent)).toBe(false);
      const put = { state: 'pending' as const, attempts: 1, dueAt: at + 5_000, response: '503 停' };
      expect(await other.settle(makeDelivery(), 'two', put)).toBe(true);
      expect(await other.settle(makeDelivery(), 'two', sent)).toBe(false);
      expect(await page()).toEqual([makeDelivery(put)]);
      expect(await store.claim('three', at + 4_999, lease, 5)).toEqual([]);
      expect(await store.claim('three', at + 5_000, lease, 5)).toEqual([makeDelivery(put)]);
      await store.settle(makeDelivery(), 'three', sent);
      expect(await store.claim('four', at + day, lease, 5)).toEqual([]);
      expect([await page('pending'), (await page('sent')).length]).toEqual([[], 1]);
    });

    it('pages newest first, over ties', async () => {
      await store.enqueue(
        Array.from({ length: 7 }, (_, n) => makeDelivery({ event: `evt_${n}`, at: at + Math.floor(n / 3) })),
      );
      const seen: string[] = [];
      for (let cursor: string | null = null, more = true; more; more = cursor !== null) {
        const { rows, next } = await store.page('hook-1', null, { cursor, limit: 2 });
        seen.push(...rows.map((row) => row.event));
        cursor = next;
      }
      expect(seen).toEqual([6, 5, 4, 3, 2, 1, 0].map((n) => `evt_${n}`));
      await expect(store.page('hook-1', null, { cursor: 'nonsense', limit: 2 })).rejects.toMatchObject({
        code: 'invalid',
      });
    });

    it('replays one event or a span of time, whatever became of it, but not what is held', async () => {
      await store.enqueue([0, 1, 2, 3].map((n) => makeDelivery({ event: `evt_${n}`, at: at + n })));
      for (const one of await store.claim('one', at, lease, 3)) await store.settle(one, 'one', sent);
      const [held] = await store.claim('two', at, lease, 5);
      const later = at + 500;
      expect(await other.replay('hook-1', { from: at + 1, to: at + 3 }, later, later + day)).toBe(
        held?.at === at ? 3 : 2,
      );
      expect(await other.replay('hook-2', { from: 0, to: later }, later, later + day)).toBe(0);
      const again = (await page('pending')).filter((one) => one.event !== held?.event);
      expect(again.every((one) => one.attempts === 0 && one.dueAt === later && one.giveUpAt === later + day)).toBe(
        true,
      );
      expect(await other.replay('hook-1', { event: held?.event ?? '' }, later, later + day)).toBe(0);
      expect(await other.replay('hook-1', { event: held?.event ?? '' }, at + lease, later + day)).toBe(1);
      expect(await store.settle(held ?? makeDelivery(), 'two', sent)).toBe(false);
    });

    it('forgets what is over and old, never what is still to be told', async () => {
      await store.enqueue([
        makeDelivery(),
        makeDelivery({ event: 'evt_2' }),
        makeDelivery({ event: 'evt_3', at: at + 1 }),
      ]);
      for (const one of await store.claim('one', at, lease, 5))
        if (one.event !== 'evt_2') await store.settle(one, 'one', sent);
      await other.forgetBefore(at + 1);
      expect((await page()).map((one) => one.event)).toEqual(['evt_3', 'evt_2']);
    });

    it('takes 500 events at once', async () => {
      await store.enqueue(Array.from({ length: 500 }, (_, n) => makeDelivery({ event: `evt_${n}` })));
      expect(await store.claim('one', at, lease, 500)).toHaveLength(500);
    });
  });
