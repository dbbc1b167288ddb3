import type { RequestListener } from 'node:http';
import express, { type Request, type RequestHandler, type Response, Router } from 'express';
import { z } from 'zod';
import type { AccessService } from '../access/access-service.ts';
import type { IndexState } from '../audience/index-keeper.ts';
import type { OutboxEntry, OutboxPage } from '../channels/outbox.ts';
import { AppError, type ErrorCode, errorTable } from '../errors.ts';
import type { FeedbackService } from '../feedback/feedback-service.ts';
import { type Report, reports } from '../feedback/links.ts';
import type { Log } from '../log.ts';
import { isLoopback } from '../public-address.ts';
import { faultsOf } from '../reading.ts';
import { channelNames } from '../subscriptions/follow.ts';
import type { Limits } from './contract/limits.ts';
import { holds } from './contract/route.ts';
import { makeErrorHandler } from './error-handler.ts';
import type { Metrics } from './metrics.ts';

type HealthDeps = { ping(): Promise<void>; metrics: Metrics; index?: () => IndexState };

export type OutsideDeps = HealthDeps & {
  access: Pick<AccessService, 'authenticate' | 'audit'>;
  feedback: Pick<FeedbackService, 'unsubscribe' | 'report' | 'click' | 'opened'>;
  readOutbox(page: OutboxPage): Promise<OutboxEntry[]>;
  publicUrl: string;
  limits: Limits;
};

/** What only machines call is answered with problem documents, never with pages. */
const machine: RequestHandler = (_req, res, next) => {
  res.locals.machine = true;
  res.set('Cache-Control', 'no-store');
  next();
};

/** A process whose index is being made anew still serves: preview answers 503, pages do not need the index. */
const indexBody = ({ state, people, lag, wrong, faults }: IndexState) => ({ state, people, lag, wrong, faults });

const health = ({ ping, metrics, index }: HealthDeps): Router =>
  Router()
    .get('/healthz', machine, (_req, res) => void res.json({ status: 'ok' }))
    .get('/readyz', machine, async (_req, res) => {
      try {
        await ping();
      } catch {
        throw new AppError('store-unavailable', 'The store does not answer.', { retryAfterSeconds: 1 });
      }
      const state = index?.();
      if (state?.state === 'building')
        throw new AppError('index-building', 'The audience index is being built.', { retryAfterSeconds: 2 });
      res.json({ status: 'ready', ...(state && { index: indexBody(state) }) });
    })
    .get('/metrics', machine, async (_req, res) => {
      const { type, content } = await metrics.expose();
      res.set('Content-Type', type).send(content);
    });

const outboxQuery = z.strictObject({
  channel: z.enum(channelNames).optional(),
  cursor: z.string().max(200).optional(),
  limit: z.coerce.number<string>().int().min(1).max(1_000).default(50),
});

const sendOutbox = async (req: Request, res: Response, readOutbox: OutsideDeps['readOutbox']): Promise<void> => {
  const query = outboxQuery.safeParse(req.query);
  if (!query.success)
    throw new AppError('invalid', 'The query has faults; each is named.', { faults: faultsOf(query.error) });
  const { limit, channel, cursor } = query.data;
  const page = {
    limit,
    ...(channel === undefined ? {} : { channel }),
    ...(cursor === undefined ? {} : { after: cursor }),
  };
  const messages = await readOutbox(page);
  const shown = messages.map((message) => ({ ...message, at: new Date(message.at).toISOString() }));
  res.json({ messages: shown, next: messages.length === limit ? (messages.at(-1)?.id ?? null) : null });
};

/** The outbox holds addresses in the clear: it is there on a developer's own machine, or for an admin's key. */
const outbox = ({ access, publicUrl, readOutbox }: OutsideDeps): Router => {
  const open = isLoopback(publicUrl);
  const gate: RequestHandler = async (req, _res, next) => {
    const caller = await access.authenticate(req.headers.authorization).catch(() => null);
    const admin = holds(caller, 'admin');
    if (!open && !admin) throw new AppError('not-found', 'There is nothing here.');
    // on one's own machine there is nobody to name
    if (!open && caller) await access.audit({ actor: caller.actor.staff, action: 'readOutbox', subject: null });
    next();
  };
  const json: RequestHandler = async (req, res, next) => {
    if (req.accepts(['html', 'json']) !== 'json') return next();
    res.locals.machine = true;
    res.set('Cache-Control', 'no-store');
    await sendOutbox(req, res, readOutbox);
  };
  return Router().use('/dev/outbox', gate).get('/dev/outbox', json);
};

const reportLimit = 1_024;

/** `{ "what": "shown" | "clicked" | … }`; anything else reports nothing. */
const whatOf = (body: unknown): Report | null => {
  try {
    const { what } = JSON.parse(String(body)) as { what?: unknown };
    return reports.find((one) => one === what) ?? null;
  } catch {
    return null;
  }
};

const tokenOf = (req: Request): string => String(req.params.token ?? '');

/** A transparent GIF of one pixel. */
const pixel = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64');

/**
 * What stands in messages for machines as well as for people: the counted link, which leads to the item's own address and
 * nowhere else (nothing of the request is in it), and the pixel.
 */
const counted = ({ feedback }: OutsideDeps): Router =>
  Router()
    .get('/c/:token', async (req, res) => {
      const to = await feedback.click(tokenOf(req), req.method === 'HEAD');
      if (to === null) throw new AppError('not-found', 'There is no such link.');
      res.set({ 'Cache-Control': 'no-store', 'X-Robots-Tag': 'noindex' }).redirect(302, to);
    })
    .get('/o/:token', machine, async (req, res) => {
      if (req.method === 'GET') await feedback.opened(tokenOf(req));
      res.type('gif').send(pixel);
    });

/** What mail clients and service workers post to links. */
const links = ({ feedback, limits: { guess: limited } }: OutsideDeps): Router => {
  return (
    Router()
      // RFC 8058 section 3.1: the body may be a form or multipart and says nothing that the token does not
      .post('/u/:token', machine, limited, async (req, res) => {
        req.resume();
        await feedback.unsubscribe(tokenOf(req), false);
        res.status(200).type('text/plain').send('Unsubscribed.\n');
      })
      .post('/r/:token', machine, limited, express.text({ type: () => true, limit: reportLimit }), async (req, res) => {
        const what = whatOf(req.body);
        if (what) await feedback.report(tokenOf(req), what);
        res.status(204).end();
      })
  );
};

const isCode = (code: string): code is ErrorCode => Object.hasOwn(errorTable, code);

/** What the `type` of a problem document leads to (RFC 9457 section 3.1.1). */
const problems = Router().get('/problems/:code', machine, (req, res) => {
  const code = String(req.params.code);
  if (!isCode(code)) throw new AppError('not-found', 'There is no such problem.');
  res.type('text/plain').send(`${code}: ${errorTable[code].title} (HTTP ${errorTable[code].status}).\n`);
});

/** Everything outside the API that is not a page. */
export const makeOutsideRouter = (deps: OutsideDeps): Router =>
  Router().use(health(deps), outbox(deps), counted(deps), links(deps), problems);

/** A worker's own HTTP: health, readiness and metrics. */
export const makeWorkerApp = (
  { stores, log }: { stores: { ping(): Promise<void> }; log: Log },
  metrics: Metrics,
): RequestListener =>
  express()
    .disable('x-powered-by')
    .use(metrics.observe, machine, health({ ping: () => stores.ping(), metrics }))
    .use(() => {
      throw new AppError('not-found', 'A worker has no such path.');
    })
    .use(makeErrorHandler({ log, publicUrl: '' }));
