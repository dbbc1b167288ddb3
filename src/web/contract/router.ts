import { createHash } from 'node:crypto';
import express, { type NextFunction, type Request, type RequestHandler, type Response, Router } from 'express';
import type { AccessService, Caller } from '../../access/access-service.ts';
import { canonicalJson } from '../../access/audit.ts';
import type { Locale } from '../../catalogue/topic.ts';
import { AppError } from '../../errors.ts';
import type { Keyring } from '../../keyring.ts';
import { bestLocale } from '../../text.ts';
import { ownTurn } from '../../turns.ts';
import type { Limits } from './limits.ts';
import { holds, type RawCall, type Reply, type Route } from './route.ts';

export type RouterTools = {
  access: AccessService;
  keyring: Pick<Keyring, 'mac'>;
  limits: Limits;
  locale: Locale;
};

const defaultBodyLimit = 256 * 1024;
/** Bytes from which on a body takes a millisecond to parse and check: of many that come at once each waits for a turn. */
const longBody = 4 * 1024;
const keyShape = /^[\x21-\x7e]{1,255}$/;

const expressPath = (path: string): string => path.replace(/\{(\w+)\}/g, ':$1');
const paramCount = (path: string): number => path.split('{').length - 1;

/** Runs a middleware and waits for it. */
const through = (middleware: RequestHandler, req: Request, res: Response): Promise<void> =>
  new Promise((resolve, reject) => {
    middleware(req, res, (error?: unknown) => (error === undefined ? resolve() : reject(error)));
  });

const authorise = (route: Route, caller: Caller | null): void => {
  if (route.scope === 'public') return;
  if (!caller) throw new AppError('no-key', 'This call needs an API key: Authorization: Bearer <api key>.');
  const scopes = [route.scope].flat();
  if (!scopes.some((scope) => holds(caller, scope)))
    throw new AppError('no-scope', `This call needs a key of scope ${scopes.join(' or ')}.`);
};

const hasBody = (req: Request): boolean =>
  req.headers['transfer-encoding'] !== undefined || Number(req.headers['content-length'] ?? 0) > 0;

const isLong = (req: Request): boolean => Number(req.headers['content-length'] ?? longBody) >= longBody;

const refuseMedia = (route: Route, req: Request): void => {
  const media = route.stream ?? ['application/json'];
  const unnamed = route.stream !== undefined && req.headers['content-type'] === undefined;
  if (hasBody(req) && !unnamed && !req.is(media))
    throw new AppError('unsupported-media-type', `The body must be ${media.join(' or ')}.`);
  // what is read as it comes is not unpacked: taken for the text itself it would be nonsense
  if (route.stream && (req.headers['content-encoding'] ?? 'identity') !== 'identity')
    throw new AppError('unsupported-media-type', 'The body must not be compressed.');
};

const answer = (res: Response, reply: Reply): void => {
  res.status(reply.status).set(reply.headers ?? {});
  if (reply.text) res.type(reply.text.type).send(reply.text.content);
  else if (reply.body === undefined) res.end();
  else res.json(reply.body);
};

/** Paths hold ids of other systems (`/subscribers/…`): what cannot be an id of ours is simply unknown. */
const paramsOf = (req: Request): Record<string, string> => {
  const params = Object.entries(req.params).map(([name, value]) => [name, String(value)] as const);
  if (params.some(([, value]) => value.length > 200 || value.includes('\u0000')))
    throw new AppError('not-found', 'There is nothing with this id.');
  return Object.fromEntries(params);
};

const idempotencyKey = (req: Request): string | undefined => {
  const key = req.get('idempotency-key');
  if (key !== undefined && !keyShape.test(key))
    throw new AppError('invalid', 'The Idempotency-Key cannot be used.', {
      faults: [{ path: 'Idempotency-Key', message: 'must be 1 to 255 visible ASCII characters' }],
    });
  return key;
};

/** Does the work once for each Idempotency-Key; a failure is forgotten, so that the call can be made again. */
const once = async (
  { access, keyring }: RouterTools,
  call: RawCall,
  key: string,
  work: () => Promise<Reply | null>,
): Promise<Reply | null> => {
  const { req } = call;
  const who = call.caller?.key ?? `ip:${req.ip}`;
  const id = keyring
    .mac('idempotency', [who, req.method, req.baseUrl + req.path, key].join('\n'))
    .toString('base64url');
  const bodyHash = createHash('sha256')
    .update(canonicalJson(call.body ?? {}))
    .digest('base64url');
  const opened = await access.openCall(id, bodyHash);
  if (!opened.run)
    return { status: opened.status, body: JSON.parse(opened.body), headers: { 'Idempotent-Replayed': 'true' } };
  const reply = await work().catch(async (error: unknown) => {
    await access.dropCall(id);
    throw error;
  });
  await access.closeCall(id, reply?.status ?? 200, JSON.stringify(reply?.body ?? {}));
  return reply;
};

const audited = (tools: RouterTools, route: Route, call: RawCall, work: () => Promise<Reply | null>) => async () => {
  const reply = await work();
  if (call.caller && (route.audited ?? route.method !== 'get')) {
    const subject = reply?.subject ?? call.params.id ?? null;
    const details = { key: call.caller.key };
    await tools.access.audit({ actor: call.caller.actor.staff, action: route.operationId, subject, details });
  }
  return reply;
};

const handle = (tools: RouterTools, route: Route): RequestHandler => {
  const parse = express.json({ limit: route.bodyLimit ?? defaultBodyLimit, strict: true });
  const perform = async (req: Request, res: Response): Promise<void> => {
    const caller = await tools.access.authenticate(req.headers.authorization);
    authorise(route, caller);
    if (route.limited && !caller) await through(tools.limits[route.limited], req, res);
    refuseMedia(route, req);
    if (!route.stream && hasBody(req) && isLong(req)) await ownTurn();
    if (!route.stream) await through(parse, req, res);
    const locale = bestLocale(req.headers['accept-language'], tools.locale);
    const call = {
      caller,
      locale,
      req,
      res,
      params: paramsOf(req),
      query: { ...req.query },
      body: req.body as unknown,
    };
    const work = audited(tools, route, call, await route.prepare(call));
    const key = route.idempotent ? idempotencyKey(req) : undefined;
    const reply = key === undefined ? await work() : await once(tools, call, key, work);
    if (reply) answer(res, reply);
  };
  return (req: Request, res: Response, next: NextFunction) => {
    res.locals.route = route.path;
    perform(req, res).catch(next);
  };
};

/** The express router of these routes. Known paths answer other methods with 405, unknown paths are 404. */
export const makeApiRouter = (routes: Route[], tools: RouterTools): Router => {
  const router = Router();
  const paths = [...new Set(routes.map((route) => route.path))];
  for (const path of paths.sort((a, b) => paramCount(a) - paramCount(b))) {
    const here = routes.filter((route) => route.path === path);
    const at = router.route(expressPath(path));
    for (const route of here) at[route.method](handle(tools, route));
    const allow = here
      .flatMap(({ method }) => (method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()]))
      .join(', ');
    at.all((_req, res) => {
      res.set('Allow', allow);
      throw new AppError('method-not-allowed', `This path takes ${allow}.`);
    });
  }
  router.use(() => {
    throw new AppError('not-found', 'The API has no such path; see /api/v1/openapi.json.');
  });
  return router;
};
