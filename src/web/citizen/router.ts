import { join } from 'node:path';
import express, { type Request, type RequestHandler, type Response, Router } from 'express';
import { projectRoot } from '../../project-root.ts';
import { locales } from '../../text.ts';
import type { CitizenDeps } from '../pages/deps.ts';
import type { Pages } from '../pages/page.ts';
import { ownPath, pathPart, queryText } from '../pages/request.ts';
import { aboutMeRouter } from './about-me.ts';
import { browseRouter } from './browse.ts';
import { confirmRouter } from './confirm.ts';
import { deviceRouter } from './device.ts';
import { feedbackRouter } from './feedback.ts';
import { followRouter } from './follow.ts';
import { myRouter } from './my.ts';
import { noticeRouter } from './notice.ts';
import { outboxRouter } from './outbox.ts';
import { rulesRouter } from './rules.ts';
import { stopRouter } from './stop.ts';
import { wechatRouter } from './wechat.ts';

const publicDir = join(projectRoot, 'public');

const language = (pages: Pages) => (req: Request, res: Response) => {
  const locale = locales.find((one) => one === pathPart(req, 'locale'));
  if (locale) pages.rememberLocale(res, locale);
  res.redirect(303, ownPath(queryText(req, 'back')));
};

/** Web App Manifest, one for each language. */
const manifest = (pages: Pages) => (req: Request, res: Response) => {
  const { t, locale } = pages.visit(req);
  const icon = (name: string, purpose?: string) => ({
    src: `/icons/${name}.png`,
    sizes: name.endsWith('192') ? '192x192' : '512x512',
    type: 'image/png',
    ...(purpose ? { purpose } : {}),
  });
  res.type('application/manifest+json').json({
    id: '/',
    name: t('brand.name'),
    short_name: t('brand.name'),
    description: t('brand.tagline'),
    lang: locale,
    start_url: '/',
    scope: '/',
    display: 'standalone',
    background_color: '#f5f2ea',
    theme_color: '#17504b',
    icons: [icon('bell-192'), icon('bell-512'), icon('bell-maskable-512', 'maskable')],
  });
};

const endings = { br: '.br', gzip: '.gz' } as const;
const types = { css: 'text/css; charset=utf-8', js: 'text/javascript; charset=utf-8' };

/** Built assets lie beside their compressed forms; the browser gets the smallest that it takes. */
const compressed: RequestHandler = (req, res, next) => {
  if (!/\.(css|js)$/.test(req.path)) return next();
  res.vary('Accept-Encoding');
  const encoding = req.acceptsEncodings('br', 'gzip', 'identity');
  if (encoding === 'br' || encoding === 'gzip') req.url = `${req.path}${endings[encoding]}`;
  next();
};

/** What a compressed file is, which its name alone would not say. */
const asPacked = (res: Response, path: string): void => {
  const [, kind, ending] = /\.(css|js)(\.br|\.gz)$/.exec(path) ?? [];
  if (!kind) return;
  res.set('Content-Type', types[kind as keyof typeof types]);
  res.set('Content-Encoding', ending === endings.br ? 'br' : 'gzip');
};

/** Files of public/: built assets carry a hash in their path, the rest is asked for again each time. */
const files = (): Router =>
  Router()
    .use(
      '/assets',
      compressed,
      express.static(join(publicDir, 'assets'), { immutable: true, maxAge: '365d', setHeaders: asPacked }),
    )
    .use('/icons', express.static(join(publicDir, 'icons'), { maxAge: '1d' }))
    .get('/favicon.ico', (_req, res) => res.redirect(301, '/icons/bell.svg'))
    .get(['/sw.js', '/beacon.js'], (req, res) => {
      res.set('Cache-Control', 'no-cache');
      res.type('text/javascript').sendFile(join(publicDir, req.path));
    });

/** Everything that citizens see; mounted last. What it does not know falls through to the 404 of the app. */
export const citizenRouter = (deps: CitizenDeps, pages: Pages): Router =>
  Router()
    .use(files())
    .use(express.urlencoded({ extended: false, limit: '200kb' }))
    .get('/manifest.webmanifest', manifest(pages))
    .get('/language/:locale', language(pages))
    .use(browseRouter(deps, pages))
    .use(noticeRouter(deps, pages))
    .use(rulesRouter(deps, pages))
    .use(followRouter(deps, pages))
    .use(confirmRouter(deps, pages))
    .use(myRouter(deps, pages))
    .use(aboutMeRouter(deps, pages))
    .use(stopRouter(deps, pages))
    .use(wechatRouter(deps, pages))
    .use(feedbackRouter(deps, pages))
    .use(deviceRouter(deps, pages))
    .use(outboxRouter(deps, pages));
