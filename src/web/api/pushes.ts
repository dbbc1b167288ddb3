import { z } from 'zod';
import type { CatalogueService } from '../../catalogue/catalogue-service.ts';
import { AppError } from '../../errors.ts';
import type { FanoutService, PushView } from '../../fanout/fanout-service.ts';
import { deliveryStates, type PushAudience } from '../../fanout/push.ts';
import { explanationsIn } from '../../fanout/reasons.ts';
import { faultsOf } from '../../reading.ts';
import { conditionFaults } from '../../rules/check-condition.ts';
import type { Condition } from '../../rules/condition.ts';
import { conditionSchema } from '../../rules/condition-schema.ts';
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

const named = z.strictObject({ subscribers: z.array(z.string().min(1).max(100)).min(1).max(peopleLimit) });
type Named = z.output<typeof named>;

const isNamed = (audience: unknown): audience is Named =>
  typeof audience === 'object' && audience !== null && 'subscribers' in audience;

/** Named people or a condition, each refused by its own faults: which of the two is meant shows in the key. */
const audience: z.ZodType<Named | Condition> = z.preprocess(
  (value, ctx) => {
    const read = isNamed(value) ? named.safeParse(value) : conditionSchema.safeParse(value);
    if (read.success) return read.data;
    for (const { path, message } of faultsOf(read.error))
      ctx.addIssue({ code: 'custom', message, path: path === '' ? [] : path.split('.') });
    return z.NEVER;
  },
  // for the document; what comes here has been read
  z.union([named, conditionSchema]).describe('Named people, or whoever a condition is true of.'),
);

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

const audienceOf = async ({ catalogue }: Deps, asked: Named | Condition): Promise<PushAudience> => {
  if (isNamed(asked)) return { kind: 'people', subscribers: [...new Set(asked.subscribers)] };
  const declared = { trees: await catalogue.trees(), attributes: await catalogue.attributes() };
  const faults = conditionFaults(asked, declared, { path: 'audience' });
  if (faults.length > 0) throw new AppError('invalid', 'The request has faults; each is named.', { faults });
  return { kind: 'condition', who: asked };
};

const pushRoute = (deps: Deps): Route =>
  route({
    method: 'post',
    path: '/pushes',
    operationId: 'createPush',
    tag: 'Pushes',
    scope: 'publish',
    summary: 'Pushes a published item to named people, or to everybody a condition is true of.',
    body: pushBody,
    bodyLimit: pushBodyLimit,
    responses: { 202: z.object({ push: pushRef }) },
    idempotent: true,
    handler: async (call) => {
      const { item, audience: asked, channels, note } = call.body;
      const request = {
        item,
        audience: await audienceOf(deps, asked),
        channels: channels ? [...new Set(channels)] : null,
        note,
      };
      const push = await deps.fanout.push(request, keyed(call).actor);
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
      handler: async (call) => {
        const push = await fanout[action](call.params.id, keyed(call).actor);
        return { status: 200, body: presentPush(push) };
      },
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
    audited: true,
    responses: { 200: z.object({ deliveries: z.array(deliveryShape), next }) },
    handler: async ({ params, query, locale }) => {
      const found = await fanout.deliveries(params.id, query.state ?? null, pageOf(query));
      const topics = new Map((await catalogue.trees()).topics.map((topic) => [topic.slug, topic]));
      const explanations = explanationsIn(found.rows.flatMap((row) => row.reasons));
      const words = { text: textIn(locale), locale, topics, explanations };
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
    handler: async (call) => {
      const { push, ids } = call.body;
      const which = { ...(push === undefined ? {} : { push }), ...(ids === undefined ? {} : { messages: ids }) };
      const redriven = await fanout.redrive(which, keyed(call).actor);
      return { status: 200, body: { redriven }, ...(push ? { subject: push } : {}) };
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
