import { type Request, type RequestHandler, type Response, Router } from 'express';
import type { Locale } from '../catalogue/topic.ts';
import type { Edges } from '../edges.ts';
import { AppError } from '../errors.ts';
import type { FeedDocument, FeedService } from '../feeds/feed-service.ts';
import { type FeedFormat, type FeedSource, feedFiles, searchOfQuery } from '../feeds/feed-source.ts';
import { locales } from '../text.ts';
import { makeFeedLimits } from './contract/limits.ts';
import { pathPart, queryText } from './pages/request.ts';

export type FeedDeps = { feeds: FeedService; edges: Pick<Edges, 'now'>; locale: Locale };

const formats = Object.keys(feedFiles) as FeedFormat[];

/** The second of the last change. Not told while it lasts: another change within it could not be told from this one. */
const lastModified = (changedAt: number, now: number): string | null => {
  const second = Math.floor(changedAt / 1_000) * 1_000;
  return second > 0 && now >= second + 1_000 ? new Date(second).toUTCString() : null;
};

/**
 * Whether the reader has this very document: by its entity tags, or where it names none, by the time (RFC 9110 section 13.2.2).
 * A `no-cache` of the request is for copies on the way: whoever names what it has is told that it still fits.
 */
const isHeld = (req: Request, etag: string, modified: string | null): boolean => {
  const tags = req.get('If-None-Match');
  if (tags !== undefined) return tags.split(',').some((tag) => ['*', etag].includes(tag.trim().replace(/^W\//, '')));
  const since = Date.parse(req.get('If-Modified-Since') ?? '');
  return modified !== null && since >= Date.parse(modified);
};

/** Sends a document, or 304 to a reader that has it (RFC 9110 section 13). Copies on the way must ask, too: a hub comes at once. */
const send = (req: Request, res: Response, document: FeedDocument, now: number): void => {
  const { self, hub } = document;
  res.set({ ETag: document.etag, 'Cache-Control': 'public, no-cache', 'Access-Control-Allow-Origin': '*' });
  const modified = lastModified(document.changedAt, now);
  if (modified) res.set('Last-Modified', modified);
  // W3C WebSub section 4: a hub is found by the headers as well
  if (hub) res.set('Link', `<${hub}>; rel="hub", <${self}>; rel="self"`);
  if (isHeld(req, document.etag, modified)) res.status(304).end();
  else res.type(document.type).send(document.body);
};

const localeOf = (req: Request, otherwise: Locale): Locale =>
  locales.find((one) => one === queryText(req, 'lang')) ?? otherwise;

const searchOf = (req: Request): FeedSource => {
  const at = req.originalUrl.indexOf('?');
  const search = searchOfQuery(new URLSearchParams(at === -1 ? '' : req.originalUrl.slice(at)));
  if (!search)
    throw new AppError('invalid', 'The feed names no search.', {
      faults: [{ path: 'query', message: 'must hold all.<facet> or any.<facet>, such as all.topics=services' }],
    });
  return { kind: 'search', search };
};

const sources: [folder: string, sourceOf: (req: Request) => FeedSource][] = [
  ['/feeds/latest', () => ({ kind: 'latest' })],
  ['/feeds/topics/:name', (req) => ({ kind: 'topic', slug: pathPart(req, 'name') })],
  ['/feeds/departments/:name', (req) => ({ kind: 'department', name: pathPart(req, 'name') })],
  ['/feeds/search', searchOf],
];

/** What machines read: their answers are problem documents, never pages. */
const machine: RequestHandler = (_req, res, next) => {
  res.locals.machine = true;
  next();
};

/** Feeds and calendars of what is public, for whoever comes by. */
export const feedRouter = ({ feeds, edges, locale }: FeedDeps): Router => {
  const router = Router();
  const limits = makeFeedLimits();
  for (const [folder, sourceOf] of sources)
    for (const format of formats)
      router.get(`${folder}/${feedFiles[format]}`, machine, ...limits, async (req, res) => {
        const document = await feeds.document(sourceOf(req), format, localeOf(req, locale));
        if (!document) throw new AppError('not-found', 'There is no such topic.');
        send(req, res, document, edges.now());
      });
  router.get('/items/:id/cap.xml', machine, ...limits, async (req, res) => {
    const alert = await feeds.alert(pathPart(req, 'id'));
    if (!alert) throw new AppError('not-found', 'There is no such alert.');
    send(req, res, alert, edges.now());
  });
  return router;
};
