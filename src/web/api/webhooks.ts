import { z } from 'zod';
import { type Webhook, type WebhookDelivery, webhookEvents } from '../../webhooks/webhook.ts';
import type { WebhookService } from '../../webhooks/webhook-service.ts';
import { pageOf, pageQuery, type Route, route } from '../contract/route.ts';
import { instant, next, orNull } from './shapes.ts';

const webhookShape = z
  .object({ id: z.string(), url: z.string(), events: z.array(z.enum(webhookEvents)), createdAt: instant })
  .meta({ id: 'Webhook' });

const states = ['pending', 'sent', 'failed'] as const;

const deliveryShape = z
  .object({
    id: z.string().describe('The webhook-id header: the same in every attempt and replay.'),
    type: z.enum(webhookEvents),
    at: instant,
    state: z.enum(states),
    attempts: z.int(),
    dueAt: orNull(instant),
    response: orNull(z.string()),
  })
  .meta({ id: 'WebhookDelivery' });

const webhookBody = z.strictObject({
  url: z.url().max(2_000),
  events: z.array(z.enum(webhookEvents)).min(1).max(webhookEvents.length),
});

const moment = z.iso.datetime({ offset: true });
const replayBody = z
  .strictObject({ delivery: z.string().min(1).max(100).optional(), from: moment.optional(), to: moment.optional() })
  .refine(
    ({ delivery, from }) => (delivery === undefined) !== (from === undefined),
    'must hold either delivery or from',
  )
  .refine(({ from, to }) => to === undefined || from !== undefined, 'may hold to only beside from');

const time = (at: number): string => new Date(at).toISOString();

/** The secret never leaves but at creation. */
const presentWebhook = ({ id, url, events, createdAt }: Webhook): z.output<typeof webhookShape> => ({
  id,
  url,
  events,
  createdAt: time(createdAt),
});

const presentDelivery = (row: WebhookDelivery): z.output<typeof deliveryShape> => ({
  id: row.event,
  type: row.type,
  at: time(row.at),
  state: row.state,
  attempts: row.attempts,
  dueAt: row.state === 'pending' ? time(row.dueAt) : null,
  response: row.response,
});

type Deps = { webhooks: WebhookService };
const tag = 'Webhooks';
const scope = 'admin';

const manageRoutes = ({ webhooks }: Deps): Route[] => [
  route({
    method: 'post',
    path: '/webhooks',
    operationId: 'addWebhook',
    tag,
    scope,
    summary:
      'Tells a public https URL what happens from now on, signed as Standard Webhooks 1.0 says; the secret is shown this once.',
    body: webhookBody,
    example: { url: 'https://desk.example.org/bellman', events: ['push.done', 'delivery.failed'] },
    idempotent: true,
    responses: { 201: z.object({ ...webhookShape.shape, secret: z.string() }) },
    handler: async ({ body }) => {
      const { webhook, secret } = await webhooks.add(body.url, body.events);
      return { status: 201, body: { ...presentWebhook(webhook), secret }, subject: webhook.id };
    },
  }),
  route({
    method: 'get',
    path: '/webhooks',
    operationId: 'listWebhooks',
    tag,
    scope,
    summary: 'The webhooks (100 at most), oldest first.',
    responses: { 200: z.object({ webhooks: z.array(webhookShape), next }) },
    handler: async () => ({
      status: 200,
      body: { webhooks: (await webhooks.list()).map(presentWebhook), next: null },
    }),
  }),
  route({
    method: 'get',
    path: '/webhooks/{id}',
    operationId: 'getWebhook',
    tag,
    scope,
    summary: 'One webhook.',
    responses: { 200: webhookShape },
    handler: async ({ params }) => ({ status: 200, body: presentWebhook(await webhooks.get(params.id)) }),
  }),
  route({
    method: 'delete',
    path: '/webhooks/{id}',
    operationId: 'removeWebhook',
    tag,
    scope,
    summary: 'Removes a webhook and what it has not been told yet.',
    responses: { 204: null },
    handler: async ({ params }) => {
      await webhooks.remove(params.id);
      return { status: 204 };
    },
  }),
];

/** Webhooks and what they were told. */
export const webhookRoutes = (deps: Deps): Route[] => [
  ...manageRoutes(deps),
  route({
    method: 'get',
    path: '/webhooks/{id}/deliveries',
    operationId: 'listWebhookDeliveries',
    tag,
    scope,
    summary: 'What a webhook was told in the last 30 days or is still to be told, newest first.',
    query: z.strictObject({ state: z.enum(states).optional(), ...pageQuery }),
    responses: { 200: z.object({ deliveries: z.array(deliveryShape), next }) },
    handler: async ({ params, query }) => {
      const found = await deps.webhooks.deliveries(params.id, query.state ?? null, pageOf(query));
      return { status: 200, body: { deliveries: found.rows.map(presentDelivery), next: found.next } };
    },
  }),
  route({
    method: 'post',
    path: '/webhooks/{id}/replay',
    operationId: 'replayWebhook',
    tag,
    scope,
    summary:
      'Tells a webhook again: one delivery, or every event from a time on (up to another); each keeps its webhook-id. Kept are 30 days.',
    body: replayBody,
    example: { from: '2026-06-10T00:00:00Z' },
    idempotent: true,
    responses: { 202: z.object({ replayed: z.int() }) },
    handler: async ({ params, body }) => {
      const { delivery, from, to } = body;
      const span = { from: Date.parse(from ?? ''), to: to === undefined ? Number.MAX_SAFE_INTEGER : Date.parse(to) };
      const replayed = await deps.webhooks.replay(params.id, delivery === undefined ? span : { event: delivery });
      return { status: 202, body: { replayed } };
    },
  }),
];
