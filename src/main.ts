import { type ChildProcess, fork } from 'node:child_process';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { composeWeb, composeWorker, readEnvironment } from './compose.ts';
import { type Config, ConfigError } from './config.ts';
import { realEdges } from './edges.ts';
import { type Log, makeLog } from './log.ts';
import { startFault } from './start-fault.ts';
import { makeWorkerApp, startingApp } from './web/outside.ts';

const stopWithinMs = 10_000;
const restartAfterMs = [100, 500, 2_000, 5_000];
/** A terminal signals its whole process group, and npm hands the signal on: what comes so soon again is the same wish. */
const sameWishMs = 250;
/** How often a worker says to its web process that it is there, and how often that looks. */
const aliveEveryMs = 1_000;
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

type WorkerTools = { env: NodeJS.ProcessEnv; log: Log; stalledMs: number; onUnfit: () => void };

/**
 * Worker processes that are started again when they die; they end when the IPC channel closes. `onUnfit` is told of one that
 * cannot work with this configuration, and never could. One that has not been heard of for `stalledMs` is killed: it may hold the
 * lock of the database.
 */
const makeWorkers = (count: number, { env, log, stalledMs, onUnfit }: WorkerTools) => {
  const children = new Map<number, ChildProcess>();
  const heardAt = new Map<ChildProcess, number>();
  let stopping = false;
  let lookedAt = realEdges.monotonic();
  const watch = setInterval(() => {
    const now = realEdges.monotonic();
    // where this process stood still itself, what its workers said meanwhile is yet to be heard
    if (now - lookedAt > 3 * aliveEveryMs) for (const child of heardAt.keys()) heardAt.set(child, now);
    lookedAt = now;
    for (const [child, at] of heardAt) {
      if (now - at < stalledMs) continue;
      log.error({ pid: child.pid, stalledMs }, 'a worker stands still; it is killed');
      child.kill('SIGKILL');
    }
  }, aliveEveryMs);
  const start = (place: number, deaths: number): void => {
    const startedAt = realEdges.monotonic();
    const child = fork(fileURLToPath(import.meta.url), ['worker-of-web'], {
      env,
      execArgv: [...process.execArgv, '--max-semi-space-size=32'],
    });
    children.set(place, child);
    // from its first word on: nobody knows how long a start takes
    child.on('message', () => heardAt.set(child, realEdges.monotonic()));
    child.on('exit', (code, signal) => {
      children.delete(place);
      heardAt.delete(child);
      if (stopping) return;
      if (code === badConfig) return onUnfit();
      // one that lived for a while was killed; one that dies at once would only die again
      const count = realEdges.monotonic() - startedAt > 1_000 ? 0 : deaths;
      const pause = restartAfterMs[Math.min(count, restartAfterMs.length - 1)] ?? 0;
      log.error({ code, signal, pause }, 'a worker died; it is started again');
      setTimeout(() => !stopping && start(place, count + 1), pause);
    });
  };
  for (let place = 0; place < count; place += 1) start(place, 0);
  return {
    wake: () => {
      for (const child of children.values()) if (child.connected) child.send('wake');
    },
    stop: async () => {
      stopping = true;
      clearInterval(watch);
      const exits = [...children.values()].map((child) => new Promise((resolve) => child.once('exit', resolve)));
      for (const child of children.values()) child.kill('SIGTERM');
      await Promise.all(exits);
    },
  };
};

const runWeb = async (config: Config, log: Log): Promise<void> => {
  let app: RequestListener = startingApp;
  const server = createServer((request, response) => app(request, response));
  const port = await listen(server, config.port, config.host);
  const publicUrl = config.port === 0 ? config.publicUrl.replace(/:0$/, `:${port}`) : config.publicUrl;
  const placed = { ...config, publicUrl };
  let wake = (): void => undefined;
  const web = await composeWeb(placed, { edges: realEdges, log, wake: () => wake() });
  // how many they are tells each its share of a provider's rate
  const env = { ...process.env, PUBLIC_URL: publicUrl, ROLE: 'worker', WORKERS: String(config.workers) };
  const onUnfit = (): void => end('a worker cannot work with this configuration', badConfig);
  const workers =
    config.role === 'all' ? makeWorkers(config.workers, { env, log, stalledMs: config.stalledMs, onUnfit }) : null;
  wake = () => workers?.wake();
  app = web.app;
  const end = makeEnd(log, async () => {
    web.endStreams();
    await Promise.all([closeServer(server), workers?.stop()]);
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

const runWorker = async (config: Config, log: Log, ofWeb: boolean): Promise<void> => {
  const { worker, services, close } = await composeWorker(config, { edges: realEdges, log, threads: true });
  const running = worker.run();
  const server = ofWeb ? null : createServer(makeWorkerApp(services));
  const end = makeEnd(log, async () => {
    worker.stop();
    await Promise.all([running, server && closeServer(server)]);
    await close();
  });
  if (ofWeb) {
    process.on('message', () => worker.wake());
    setInterval(() => process.connected && process.send?.('alive'), aliveEveryMs).unref();
    obeyWebProcess(end);
    return;
  }
  onSignals(end);
  if (server) await listen(server, config.port, config.host);
  process.stdout.write(`A Bellman worker is ready at ${config.publicUrl}\n`);
};

const config = configOrExit();
const ofWeb = process.argv[2] === 'worker-of-web';
const log = makeLog(config.logLevel, { pid: process.pid, role: ofWeb ? 'worker' : config.role });
try {
  await (config.role === 'worker' ? runWorker(config, log, ofWeb) : runWeb(config, log));
} catch (error) {
  exitForConfigError(error);
  const fault = startFault(error, config);
  if (fault === null) log.fatal({ error }, 'the start failed');
  else say(`Bellman cannot start: ${fault}.`);
  process.exit(1);
}
