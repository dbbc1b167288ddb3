import express, { type Request, type Response } from 'express';
import { z } from 'zod';
import type { BrowsingService, PageEvent, ToldEvent } from '../../browsing/browsing-service.ts';
import { AppError } from '../../errors.ts';
import { faultsOf } from '../../reading.ts';
import { textFaults } from '../../text-faults.ts';
import { type Route, route } from '../contract/route.ts';
import type { Visitors } from '../visitor.ts';

type Deps = { browsing: Pick<BrowsingService, 'record'>; visitors: Pick<Visitors, 'record'> };

const eventsMost = 1_000;
const eventsLimit = 1024 * 1024;
/** What a page reports at once; browsers let a beacon carry 64 KiB. */
const beaconMost = 20;
const beaconLimit = 16 * 1024;

const id = z.string().min(1).max(200);
const reference = z.union([id, z.strictObject({ externalId: z.string().min(1).max(500) })], {
  error: 'must be an id or { externalId }',
});
const type = z.enum(['view', 'search', 'download']);
const topic = z.string().min(1).max(100);
const query = z.string().max(500);

const eventsBody = z.strictObject({
  events: z
    .array(
      z.strictObject({
        subscriber: reference,
        type,
        item: reference.optional(),
        topic: topic.optional(),
        query: query.optional(),
        at: z.iso.datetime({ offset: true }).optional(),
      }),
    )
    .max(eventsMost),
});

type EventInput = z.output<typeof eventsBody>['events'][number];

const named = (value: z.output<typeof reference>) => (typeof value === 'string' ? { id: value } : value);

const told = ({ subscriber, type: kind, item, topic: slug, query: words, at }: EventInput): ToldEvent => ({
  subscriber: named(subscriber),
  kind,
  item: item === undefined ? undefined : named(item),
  topic: slug,
  query: words,
  at: at === undefined ? undefined : Date.parse(at),
});

const beaconBody = z.strictObject({
  events: z
    .array(z.strictObject({ type, item: id.optional(), topic: topic.optional(), query: query.optional() }))
    .max(beaconMost),
});

/** A beacon's body: JSON as text, which a page may send without asking first (Fetch, CORS-safelisted). */
const beaconEvents = async (req: Request, res: Response): Promise<PageEvent[]> => {
  const parse = express.text({ type: () => true, limit: beaconLimit });
  await new Promise<void>((resolve, reject) => parse(req, res, (error) => (error ? reject(error) : resolve())));
  let body: unknown;
  try {
    body = JSON.parse(String(req.body));
  } catch {
    throw new AppError('invalid-json', 'The body is not readable JSON.');
  }
  const parsed = beaconBody.safeParse(body);
  const faults = [...textFaults(body), ...(parsed.success ? [] : faultsOf(parsed.error))];
  if (!parsed.success || faults.length > 0)
    throw new AppError('invalid', 'The request has faults; each is named.', { faults });
  return parsed.data.events.map(({ type: kind, item, ...subject }) => ({
    kind,
    ...subject,
    item: item === undefined ? undefined : { id: item },
  }));
};

/** What people looked at: told by other systems, and by the pages of this site. */
export const eventRoutes = ({ browsing, visitors }: Deps): Route[] => [
  route({
    method: 'post',
    path: '/events',
    operationId: 'recordEvents',
    tag: 'Events',
    scope: 'events',
    summary:
      'Records what people viewed, searched for and downloaded; an event that cannot count never stops the others.',
    body: eventsBody,
    example: {
      events: [
        { subscriber: { externalId: 'citizen-4711' }, type: 'view', item: { externalId: '/housing/rent-2026' } },
        {
          subscriber: { externalId: 'citizen-4711' },
          type: 'search',
          query: '公租房',
          at: '2026-11-03T09:30:00+08:00',
        },
      ],
    },
    bodyLimit: eventsLimit,
    responses: {
      202: z.object({ accepted: z.int(), rejected: z.array(z.object({ index: z.int(), message: z.string() })) }),
    },
    idempotent: true,
    // fifty batches a second would bury what the log is for; each event is in the person's own record
    audited: false,
    handler: async ({ body }) => ({ status: 202, body: await browsing.record(body.events.map(told)) }),
  }),
  route({
    method: 'post',
    path: '/beacon',
    operationId: 'beacon',
    tag: 'Events',
    scope: 'public',
    summary: 'What happens on a page of this site. The answer is the same whoever asks; strangers leave no trace.',
    stream: ['text/plain', 'application/json'],
    responses: { 204: null },
    handler: async ({ req, res }) => {
      const events = await beaconEvents(req, res);
      // not waited for: the time to the answer would tell whether this browser is known
      void visitors.record(req, events);
      return { status: 204 };
    },
  }),
];
