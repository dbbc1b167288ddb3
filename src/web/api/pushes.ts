import { z } from 'zod';
import type { CatalogueService } from '../../catalogue/catalogue-service.ts';
import { AppError } from '../../errors.ts';
import type { FanoutService, PushView } from '../../fanout/fanout-service.ts';
import { deliveryStates } from '../../fanout/push.ts';
import { channelNames } from '../../subscriptions/follow.ts';
import { textIn } from '../../text.ts';
import { keyed, pageOf, pageQuery, type Route, route } from '../contract/route.ts';
import { streamState } from '../event-stream.ts';
import { presentDelivery, presentPush } from '../present.ts';
import { deliveryShape, next, pushRef, pushShape } from './shapes.ts';

type Deps = {
  catalogue: CatalogueService;
  fanout: FanoutService;
  /** Ends open event streams. */
  stopping: AbortSignal;
  /** How often an event stream looks, in ms. */
  streamEveryMs: number;
};

const peopleLimit = 100_000;
const pushBodyLimit = 4 * 1024 * 1024;

/** Named people; a condition is refused as such, not field by field. */
const audience = z
  .looseObject({ subscribers: z.array(z.string().min(1).max(100)).min(1).max(peopleLimit).optional() })
  .refine((value: unknown) => Object.keys(Object(value)).join() === 'subscribers', {
    message: 'must be { subscribers: [id, ..] }; conditions are not taken yet',
    when: () => true,
  });

const pushBody = z.strictObject({
  item: z.string().min(1).max(100),
  audience,
  channels: z.array(z.enum(channelNames)).min(1).max(channelNames.length).optional(),
  note: z.string().trim().min(1).max(2_000),
});

const deliveriesQuery = z.strictObject({ state: z.enum(deliveryStates).optional(), ...pageQuery });

const redriveBody = z
  .strictObject({
    push: z.string().min(1).max(100).optional(),
    ids: z.array(z.string().min(1).max(100)).min(1).max(10_000).optional(),
  })
  .refine(({ push, ids }) => push !== undefined || ids !== undefined, 'must name a push, or ids of deliveries');

const mustHave = (push: PushView | null): PushView => {
  if (!push) throw new AppError('not-found', 'There is no such push.');
  return push;
};

const readRoutes = ({ fanout, stopping, streamEveryMs }: Deps): Route[] => [
  route({
    method: 'get',
    path: '/pushes',
    operationId: 'listPushes',
    tag: 'Pushes',
    scope: 'publish',
    summary: 'Pushes, newest first.',
    query: z.strictObject(pageQuery),
    responses: { 200: z.object({ pushes: z.array(pushShape), next }) },
    handler: async ({ query }) => {
      const found = await fanout.list(pageOf(query));
      return { status: 200, body: { pushes: found.rows.map(presentPush), next: found.next } };
    },
  }),
  route({
    method: 'get',
    path: '/pushes/{id}',
    operationId: 'getPush',
    tag: 'Pushes',
    scope: 'publish',
    summary: 'One push with its counts of people.',
    responses: { 200: pushShape },
    handler: async ({ params }) => ({ status: 200, body: presentPush(mustHave(await fanout.get(params.id))) }),
  }),
  route({
    method: 'get',
    path: '/pushes/{id}/events',
    operationId: 'watchPush',
    tag: 'Pushes',
    scope: 'publish',
    summary:
      'Server-sent events: `event: progress`, data = the push, whenever it has changed; ends when it is over and counted.',
    responses: { 200: 'text/event-stream' },
    handler: async ({ params, req, res }) => {
      mustHave(await fanout.get(params.id));
      await streamState(req, res, {
        event: 'progress',
        read: async () => {
          const push = await fanout.get(params.id);
          return push && presentPush(push);
        },
        // a cancelled push is over once everybody left is settled
        isLast: (push) => push.finishedAt !== null,
        everyMs: streamEveryMs,
        stopping,
      });
      return null;
    },
  }),
];

const pushRoute = ({ fanout }: Deps): Route =>
  route({
    method: 'post',
    path: '/pushes',
    operationId: 'createPush',
    tag: 'Pushes',
    scope: 'publish',
    summary: 'Pushes a published item to named people.',
    body: pushBody,
    bodyLimit: pushBodyLimit,
    responses: { 202: z.object({ push: pushRef }) },
    idempotent: true,
    handler: async (call) => {
      const { item, audience: named, channels, note } = call.body;
      const wanted = { kind: 'people' as const, subscribers: [...new Set(named.subscribers)] };
      const request = { item, audience: wanted, channels: channels ? [...new Set(channels)] : null, note };
      const push = await fanout.push(request, keyed(call).actor);
      return { status: 202, body: { push: { id: push.id } }, subject: push.id };
    },
  });

const controls = {
  pause: 'Holds a push back: one under way, or one that is done while people are deferred or digested under it.',
  resume: 'Goes on.',
  cancel: 'Settles everybody left as cancelled; of a push that is done, those who are deferred or digested.',
};

const controlRoutes = ({ fanout }: Deps): Route[] =>
  (['pause', 'resume', 'cancel'] as const).map((action) =>
    route({
      method: 'post',
      path: `/pushes/{id}/${action}`,
      operationId: `${action}Push`,
      tag: 'Pushes',
      scope: 'publish',
      summary: controls[action],
      responses: { 200: pushShape },
      handler: async ({ params }) => ({ status: 200, body: presentPush(await fanout[action](params.id)) }),
    }),
  );

const deliveryRoutes = ({ fanout, catalogue }: Deps): Route[] => [
  route({
    method: 'get',
    path: '/pushes/{id}/deliveries',
    operationId: 'listDeliveries',
    tag: 'Pushes',
    scope: 'publish',
    summary: 'The ledger of a push: who, how, in what state and why, in the language asked for (Accept-Language).',
    query: deliveriesQuery,
    responses: { 200: z.object({ deliveries: z.array(deliveryShape), next }) },
    handler: async ({ params, query, locale }) => {
      const found = await fanout.deliveries(params.id, query.state ?? null, pageOf(query));
      const topics = new Map((await catalogue.trees()).topics.map((topic) => [topic.slug, topic]));
      const words = { text: textIn(locale), locale, topics };
      const deliveries = found.rows.map((row) => presentDelivery(row, words));
      return { status: 200, body: { deliveries, next: found.next } };
    },
  }),
  route({
    method: 'post',
    path: '/deliveries/redrive',
    operationId: 'redriveDeliveries',
    tag: 'Pushes',
    scope: 'admin',
    summary:
      'Makes failed deliveries due again: those of a push, those named, or (both given) those named of that push.',
    body: redriveBody,
    bodyLimit: pushBodyLimit,
    responses: { 200: z.object({ redriven: z.int() }) },
    idempotent: true,
    handler: async ({ body }) => {
      const { push, ids } = body;
      const which = { ...(push === undefined ? {} : { push }), ...(ids === undefined ? {} : { messages: ids }) };
      return { status: 200, body: { redriven: await fanout.redrive(which) }, ...(push ? { subject: push } : {}) };
    },
  }),
];

/** Pushes, their progress and their ledger. */
export const pushRoutes = (deps: Deps): Route[] => [
  ...readRoutes(deps),
  pushRoute(deps),
  ...controlRoutes(deps),
  ...deliveryRoutes(deps),
];
