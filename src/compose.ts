import type { RequestListener } from 'node:http';
import { dirname } from 'node:path';
import { jobs } from '../jobs/index.ts';
import { pingHub } from '../jobs/ping-hub.ts';
import { runJobs } from '../jobs/run-jobs.ts';
import { makePostSender } from './broadcasts/deliver-posts.ts';
import { seedCalendar } from './calendar/calendar-service.ts';
import { seedCatalogue } from './catalogue/catalogue-service.ts';
import { makeChannelWatch } from './channels/channel-watch.ts';
import { deliverTransactional } from './channels/deliver-transactional.ts';
import { loadVapidKeys, makeChannels } from './channels/make-channels.ts';
import type { OnSent } from './channels/metered.ts';
import { makeWebhookCaller, webhookLimitMs } from './channels/webhook/webhook-caller.ts';
import { type Closers, makeClosers } from './closers.ts';
import type { Config } from './config.ts';
import type { Edges } from './edges.ts';
import { makeDigestComposer } from './fanout/digest/digest-composer.ts';
import { makeDigestRunner } from './fanout/digest/digest-runner.ts';
import { makeDigestSettler } from './fanout/digest/digest-settler.ts';
import { makeBatchRunner } from './fanout/worker/batch-runner.ts';
import { makeDispatcher } from './fanout/worker/dispatcher.ts';
import { makeDuties } from './fanout/worker/duties.ts';
import { makePlanner } from './fanout/worker/planner.ts';
import { makePushContexts } from './fanout/worker/push-context.ts';
import { makeSettler } from './fanout/worker/settle.ts';
import { makeWorker, type Worker } from './fanout/worker/worker.ts';
import { makeHubPinger } from './feeds/hub.ts';
import type { Log } from './log.ts';
import { makeFolder } from './make-folder.ts';
import { returnPathKey } from './return-path.ts';
import { followKeys, loadKeyring, loadSecret } from './secret.ts';
import { makeServices, type Services } from './services.ts';
import { signLink } from './signed-link.ts';
import { openSqliteStorage } from './storage/sqlite/sqlite-storage.ts';
import type { Storage } from './storage/storage.ts';
import { lookupOf } from './subscriptions/address.ts';
import { makeApp } from './web/app.ts';
import { startBounceListener } from './web/bounce-listener.ts';
import { type Metrics, makeMetrics } from './web/metrics.ts';
import { makeWorkerApp } from './web/outside.ts';
import { makeWebhookSender } from './webhooks/deliver-webhooks.ts';

/** `threads`: channels may start threads, by the machine's clock (compiled files only). */
export type ComposeTools = {
  edges: Edges;
  log: Log;
  wake?: () => void;
  threads?: boolean;
  /** Which worker of its web process this is. */
  place?: string;
  /** What the worker processes of this web process expose. */
  workerMetrics?: () => Promise<string[]>;
};

type Base = { services: Services; storage: Storage; closers: Closers };

/** The storage that the configuration names, brought to the present schema. */
export const openStorage = async (config: Config, edges: Edges): Promise<Storage> => {
  if (config.database.kind === 'mongo') {
    // the driver takes a third of a second to load, which SQLite need not wait for
    const { openMongoStorage } = await import('./storage/mongo/mongo-storage.ts');
    return openMongoStorage(config.database.url, edges);
  }
  makeFolder(dirname(config.database.file));
  return openSqliteStorage(config.database.file);
};

const composeBase = async (config: Config, tools: ComposeTools): Promise<Base> => {
  const closers = makeClosers();
  const storage = await openStorage(config, tools.edges);
  closers.add(() => storage.close());
  const keyring = await loadKeyring(storage.access, loadSecret(config));
  closers.add(followKeys(storage.access, keyring, tools.log));
  const services = makeServices(storage, { ...tools, config, keyring, wake: tools.wake ?? (() => undefined) });
  closers.add(services.audienceIndex.close);
  return { services, storage, closers };
};

/** The services alone, for a command of the operator beside the running service. */
export const composeCommand = async (
  config: Config,
  tools: ComposeTools,
): Promise<{ services: Services; close: () => Promise<void> }> => {
  const { services, closers } = await composeBase(config, tools);
  return { services, close: closers.closeAll };
};

/**
 * The web process: the services behind an HTTP listener. `endStreams` ends open event streams, which would hold the server
 * open; `close` closes what was opened, last first. `indexed`: the first audience index stands.
 */
export const composeWeb = async (
  config: Config,
  tools: ComposeTools,
): Promise<{
  app: RequestListener;
  services: Services;
  indexed: Promise<void>;
  endStreams: () => void;
  close: () => Promise<void>;
}> => {
  const { services, storage, closers } = await composeBase(config, tools);
  await seedCatalogue(storage.catalogue);
  await seedCalendar(storage.calendar);
  const vapid = await loadVapidKeys(storage.access, services.keyring, config);
  const stopping = new AbortController();
  const app = makeApp({
    services,
    config,
    log: tools.log,
    vapidPublicKey: vapid.publicKey,
    stopping: stopping.signal,
    ...(tools.workerMetrics ? { workerMetrics: tools.workerMetrics } : {}),
  });
  if (config.bounceListen)
    closers.add(await startBounceListener(config.bounceListen, { ...services, config, log: tools.log }));
  void services.audienceIndex.run(true);
  const indexed = services.audienceIndex.stands();
  return { app, services, indexed, endStreams: () => stopping.abort(), close: closers.closeAll };
};

/** What a worker is made of; a test drives the parts itself, with the clock in its hand. */
export const makeWorkerParts = async (
  config: Config,
  tools: ComposeTools & { sent?: OnSent; limitMs?: number | undefined },
  services: Services,
  closers: Closers,
) => {
  const { edges, log, threads, sent, limitMs } = tools;
  const { stores, keyring, catalogue, templates, audienceMatcher, fanout, recent, askedFeeds, returns, webhooks } =
    services;
  const { wechatApi, weibo } = services;
  const { leaseMs, publicUrl, timeZone, caps, fallbackMs, feedback } = config;
  const vapid = await loadVapidKeys(stores.access, keyring, config);
  const watch = makeChannelWatch(stores.accounts, { edges, log });
  const channels = makeChannels(config, {
    vapid,
    edges,
    log,
    threads,
    limitMs,
    sent: (...attempt) => {
      watch(...attempt);
      sent?.(...attempt);
    },
    returnPathKey: returnPathKey(keyring),
    inbound: {
      receipt: ({ provider, reference, ...receipt }) =>
        returns.receipt({ of: { provider, reference, message: null }, ...receipt }),
      text: async (from, body) => {
        await returns.text(from, body);
      },
    },
    ...(wechatApi ? { wechat: { client: wechatApi, accounts: stores.accounts, keyring } } : {}),
    reportUrl: (message) => `${publicUrl}/r/${signLink(keyring, 'report', message)}`,
  });
  for (const channel of channels.values()) closers.add(() => channel.close());

  const caller = makeWebhookCaller({ allowPrivate: config.webPush.allowPrivateEndpoints }, edges);
  closers.add(() => caller.close());

  const contexts = makePushContexts(stores, { catalogue, render: templates.notification });
  const defaults = { timeZone, caps, fallbackMs };
  const settler = makeSettler(stores, { keyring, edges, publicUrl, defaults, feedback });
  const dispatcher = makeDispatcher(stores, { channels, edges, log, refused: returns.refused });
  const composer = makeDigestComposer({ keyring, publicUrl, clicks: feedback.clicks, render: templates.digest });
  const digestSettler = makeDigestSettler(stores, { contexts, composer, keyring, edges, defaults });
  const digests = makeDigestRunner({ settler: digestSettler, dispatcher });
  const planner = makePlanner(stores, { edges, audience: audienceMatcher });
  return {
    contexts,
    settler,
    dispatcher,
    digestSettler,
    runner: makeBatchRunner(stores, { contexts, settler, dispatcher, digests, edges, log, leaseMs }),
    duties: makeDuties(stores, { planner, edges, log, announceLost: fanout.announceLost, tell: webhooks.tell }),
    deliverTransactional: (token: string, signal: AbortSignal) =>
      deliverTransactional(
        stores,
        {
          ...{ channels, keyring, edges, log, leaseMs },
          refused: (to, refusal) => returns.refused({ ...refusal, lookup: lookupOf(keyring, to) }),
        },
        token,
        signal,
      ),
    pingHub: makeHubPinger(stores, { recent, asked: askedFeeds, catalogue, edges, log, config, post: caller.post }),
    deliverPosts: weibo ? makePostSender(stores, { poster: weibo, edges, log, publicUrl }) : null,
    deliverWebhooks: makeWebhookSender(stores, { keyring, edges, log, post: caller.post, limitMs: webhookLimitMs }),
  };
};

/** A worker process: the fan-out's loops, transactional messages and the jobs. `stop` lets what is in flight come to rest. */
export const composeWorker = async (
  config: Config,
  tools: ComposeTools,
): Promise<{ worker: Worker; app: RequestListener; metrics: Metrics; close: () => Promise<void> }> => {
  const { services, storage, closers } = await composeBase(config, tools);
  const metrics = makeMetrics({
    index: services.audienceIndex.state,
    // beside a web process that is asked for both, one look at the queues is enough
    ...(tools.place === undefined ? { queues: { ...storage.queues, now: tools.edges.now } } : { worker: tools.place }),
  });
  const parts = await makeWorkerParts(config, { ...tools, sent: metrics.sent }, services, closers);
  const worker = makeWorker(storage, { ...parts, ...tools, leaseMs: config.leaseMs });
  void services.audienceIndex.run(false);
  closers.add(runJobs([...jobs, pingHub(parts.pingHub)], services, config.leaseMs));
  return { worker, app: makeWorkerApp(services, metrics), metrics, close: closers.closeAll };
};
