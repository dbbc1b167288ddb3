import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { type Config, ConfigError } from './config.ts';
import { realEdges } from './edges.ts';
import { readEnvironment } from './environment.ts';
import { type Log, makeLog } from './log.ts';
import { startFault } from './start-fault.ts';
import { startingApp } from './web/starting-app.ts';
import { aliveEveryMs, makeWorkerProcesses, type WorkerWord } from './worker-processes.ts';

const stopWithinMs = 10_000;
/** Longer than proxies keep an idle connection (60 s): whoever closes first may lose the request that the other is sending. */
const keepAliveMs = 75_000;
/** A terminal signals its whole process group, and npm hands the signal on: what comes so soon again is the same wish. */
const sameWishMs = 250;
const badConfig = 2;

const say = (line: string): void => void process.stderr.write(`${line}\n`);

const exitForConfigError = (error: unknown): void => {
  if (!(error instanceof ConfigError)) return;
  say(error.message);
  process.exit(badConfig);
};

const configOrExit = (): Config => {
  try {
    return readEnvironment(process.env);
  } catch (error) {
    exitForConfigError(error);
    throw error;
  }
};

const listen = (server: Server, port: number, host: string): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
  });

/** Stops listening and waits for requests under way; on Node 20 an idle keep-alive socket would hold the exit. */
const closeServer = async (server: Server): Promise<void> => {
  const closed = new Promise((resolve) => server.close(resolve));
  const timer = setInterval(() => server.closeIdleConnections(), 50);
  await closed;
  clearInterval(timer);
};

type End = (why: string, code?: number) => void;

/** Ends the process. First wish: `stop`, then exit with its code. A second wish, or 10 s: exit 1. */
const makeEnd = (log: Log, stop: () => Promise<void>): End => {
  let stopping = false;
  return (why, code = 0) => {
    if (stopping) process.exit(1);
    stopping = true;
    log.info({ why }, 'stopping');
    setTimeout(() => process.exit(1), stopWithinMs).unref();
    stop().then(
      () => process.exit(code),
      (error) => {
        log.error({ error }, 'the stop failed');
        process.exit(1);
      },
    );
  };
};

const onSignals = (end: End): void => {
  let since: number | null = null;
  const heard = (signal: string): void => {
    const now = realEdges.monotonic();
    if (since !== null && now - since < sameWishMs) return;
    since ??= now;
    end(signal);
  };
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => heard(signal));
};

/**
 * A worker is stopped by its web process (SIGTERM) or because that is gone. What else the group is sent (Ctrl-C, a service
 * manager's SIGTERM to all) is the web process's to count: a second signal ends that, and so the worker.
 */
const obeyWebProcess = (end: End): void => {
  process.once('SIGTERM', () => end('SIGTERM'));
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => undefined);
  process.on('disconnect', () => end('the web process is gone'));
  // it may have died while this one was starting
  if (!process.connected) end('the web process is gone');
};

/** A server that says it is alive, and not ready, until it is given its app: most of a start is loading what the app is made of. */
const serveAtOnce = async ({ port, host }: Config) => {
  let app: RequestListener = startingApp;
  const server = createServer((request, response) => app(request, response));
  server.keepAliveTimeout = keepAliveMs;
  return {
    port: await listen(server, port, host),
    serve: (composed: RequestListener): void => {
      app = composed;
    },
    close: () => closeServer(server),
  };
};

const runWeb = async (config: Config, log: Log): Promise<void> => {
  const { port, serve, close } = await serveAtOnce(config);
  const { composeWeb } = await import('./compose.ts');
  const publicUrl = config.port === 0 ? config.publicUrl.replace(/:0$/, `:${port}`) : config.publicUrl;
  const placed = { ...config, publicUrl };
  let workers: ReturnType<typeof makeWorkerProcesses> | null = null;
  const web = await composeWeb(placed, {
    edges: realEdges,
    log,
    wake: () => workers?.wake(),
    workerMetrics: async () => (await workers?.metrics()) ?? [],
  });
  // how many they are tells each its share of a provider's rate
  const env = { ...process.env, PUBLIC_URL: publicUrl, ROLE: 'worker', WORKERS: String(config.workers) };
  const onUnfit = (): void => end('a worker cannot work with this configuration', badConfig);
  if (config.role === 'all')
    workers = makeWorkerProcesses(config.workers, {
      program: fileURLToPath(import.meta.url),
      execArgv: process.execArgv,
      ...{ env, edges: realEdges, log, stalledMs: config.stalledMs, badConfig, onUnfit },
    });
  serve(web.app);
  const end = makeEnd(log, async () => {
    web.endStreams();
    await Promise.all([close(), workers?.stop()]);
    await web.close();
  });
  onSignals(end);
  // it serves already; it is ready when also /readyz says so
  await web.indexed;
  process.stdout.write(`Bellman is ready at ${publicUrl}\n`);
  const first = await web.services.staff.firstLink();
  // not through the log, which is kept and sent elsewhere; the link is good for one account
  if (first) say(`Nobody can sign in yet. The first administrator makes their account, within 72 hours, at ${first}`);
};

/** `place`: of a worker that its web process started, which of its workers it is. */
const runWorker = async (config: Config, log: Log, place: string | null): Promise<void> => {
  const tools = { edges: realEdges, log, threads: true, ...(place === null ? {} : { place }) };
  const server = place === null ? await serveAtOnce(config) : null;
  const { composeWorker } = await import('./compose.ts');
  const { worker, app, metrics, close } = await composeWorker(config, tools);
  const running = worker.run();
  const end = makeEnd(log, async () => {
    worker.stop();
    await Promise.all([running, server?.close()]);
    await close();
  });
  if (place !== null) {
    const tell = (word: WorkerWord): unknown => process.connected && process.send?.(word);
    const tellMetrics = async (): Promise<unknown> => tell({ metrics: (await metrics.expose()).content });
    process.on('message', (word) => (word === 'metrics' ? void tellMetrics() : worker.wake()));
    // at once: who stands still from now on is known to
    tell('alive');
    setInterval(() => tell('alive'), aliveEveryMs).unref();
    obeyWebProcess(end);
    return;
  }
  onSignals(end);
  server?.serve(app);
  process.stdout.write(`A Bellman worker is ready at ${config.publicUrl}\n`);
};

const config = configOrExit();
const place = process.argv[2] === 'worker-of-web' ? (process.argv[3] ?? '0') : null;
const log = makeLog(config.logLevel, { pid: process.pid, role: place === null ? config.role : 'worker' });
try {
  await (config.role === 'worker' ? runWorker(config, log, place) : runWeb(config, log));
} catch (error) {
  exitForConfigError(error);
  const fault = startFault(error, config);
  if (fault === null) log.fatal({ error }, 'the start failed');
  else say(`Bellman cannot start: ${fault}.`);
  process.exit(1);
}
