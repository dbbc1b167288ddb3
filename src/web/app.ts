import express, { type Express, type RequestHandler } from 'express';
import helmet from 'helmet';
import { readOutbox } from '../channels/outbox.ts';
import { readSmsUrl } from '../channels/sms/sms-url.ts';
import type { Config } from '../config.ts';
import { AppError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Services } from '../services.ts';
import type { SmsSigner } from './api/hooks.ts';
import { citizenRouter } from './citizen/router.ts';
import { defaultRateLimits, makeLimits, type RateLimits } from './contract/limits.ts';
import { makeErrorHandler } from './error-handler.ts';
import { feedRouter } from './feeds.ts';
import { makeApi } from './make-api.ts';
import { makeMetrics } from './metrics.ts';
import { makeOutsideRouter } from './outside.ts';
import type { CitizenDeps } from './pages/deps.ts';
import { makePages } from './pages/page.ts';
import { makeSessions } from './session.ts';
import { staffRouter } from './staff/router.ts';
import { makeVisitors } from './visitor.ts';

export type AppDeps = {
  services: Pick<
    Services,
    | 'catalogue'
    | 'items'
    | 'signUps'
    | 'subscriptions'
    | 'profiles'
    | 'browsing'
    | 'publishing'
    | 'feeds'
    | 'rules'
    | 'audience'
    | 'audienceIndex'
    | 'explain'
    | 'fanout'
    | 'pushOrders'
    | 'feedback'
    | 'returns'
    | 'suppressions'
    | 'channelDesk'
    | 'access'
    | 'staff'
    | 'webhooks'
    | 'calendar'
    | 'applications'
    | 'opinions'
    | 'deadlines'
    | 'tuning'
    | 'reports'
    | 'wechat'
    | 'broadcasts'
    | 'templates'
    | 'evidence'
    | 'sources'
    | 'keyring'
    | 'edges'
    | 'stores'
  >;
  config: Pick<Config, 'publicUrl' | 'trustProxy' | 'locale' | 'timeZone' | 'dataDir' | 'sms' | 'feedback' | 'review'>;
  log: Log;
  vapidPublicKey: string;
  /** Aborted when the process stops: open event streams end, so that the server can close. */
  stopping?: AbortSignal;
  rateLimits?: RateLimits;
  /** What the worker processes of this process expose. */
  workerMetrics?: () => Promise<string[]>;
  /** How often an event stream looks for news, in ms. */
  streamEveryMs?: number;
};

const own = ["'self'"];
const none = ["'none'"];

/** No inline script or style, nothing from elsewhere; https only where the site is reached so. */
const securityHeaders = (publicUrl: string): RequestHandler => {
  const secure = publicUrl.startsWith('https:');
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: own,
        scriptSrc: own,
        styleSrc: own,
        imgSrc: [...own, 'data:'],
        fontSrc: own,
        connectSrc: own,
        workerSrc: own,
        manifestSrc: own,
        objectSrc: none,
        baseUri: none,
        formAction: own,
        frameAncestors: none,
        ...(secure ? { upgradeInsecureRequests: [] } : {}),
      },
    },
    strictTransportSecurity: secure,
    xFrameOptions: { action: 'deny' },
  });
};

/** Providers of Twilio's form sign what they post with their own token. */
const signersOf = (urls: string[]): SmsSigner[] =>
  urls
    .filter((url) => url.startsWith('twilio+'))
    .map(readSmsUrl)
    .map(({ provider, pass }) => ({ provider, token: pass }));

/** The whole HTTP side of the service: API, machine paths, citizen's site, and the one error handler. */
export const makeApp = (deps: AppDeps): Express => {
  const { services, config, log, vapidPublicKey } = deps;
  const { publicUrl, dataDir } = config;
  const metrics = makeMetrics({
    index: services.audienceIndex.state,
    queues: { ...services.stores.queues, now: services.edges.now },
    ...(deps.workerMetrics ? { workers: deps.workerMetrics } : {}),
  });
  const limits = makeLimits(deps.rateLimits ?? defaultRateLimits);
  const visitors = makeVisitors({ ...services, sessions: makeSessions(services, publicUrl), log }, publicUrl);
  const site: CitizenDeps = {
    ...services,
    visitors,
    config,
    vapidPublicKey,
    limits,
    readOutbox: (page) => readOutbox(dataDir, page),
  };
  const pages = makePages(site);

  const app = express();
  app.set('trust proxy', config.trustProxy);
  app.use(metrics.observe, securityHeaders(publicUrl));
  app.use(
    makeApi({
      ...services,
      visitors,
      signers: signersOf(config.sms.urls),
      publicUrl,
      timeZone: config.timeZone,
      now: services.edges.now,
      locale: config.locale,
      limits,
      streamEveryMs: deps.streamEveryMs ?? 500,
      stopping: deps.stopping ?? new AbortController().signal,
    }),
  );
  app.use(
    makeOutsideRouter({
      ...services,
      publicUrl,
      limits,
      metrics,
      ping: () => services.stores.ping(),
      index: services.audienceIndex.state,
      readOutbox: (page) => readOutbox(dataDir, page),
    }),
  );
  app.use(feedRouter({ ...services, locale: config.locale }));
  app.use(
    staffRouter(
      {
        ...services,
        config,
        streamEveryMs: deps.streamEveryMs ?? 500,
        stopping: deps.stopping ?? new AbortController().signal,
      },
      pages,
    ),
  );
  app.use(citizenRouter(site, pages));
  app.use((): never => {
    throw new AppError('not-found', 'There is nothing here.');
  });
  app.use(makeErrorHandler({ log, publicUrl, renderError: pages.showError }));
  return app;
};
