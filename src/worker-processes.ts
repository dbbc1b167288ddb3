import { type ChildProcess, fork } from 'node:child_process';
import type { Edges } from './edges.ts';
import type { Log } from './log.ts';

const restartAfterMs = [100, 500, 2_000, 5_000];
/** How often a worker says to its web process that it is there, and how often that looks. */
export const aliveEveryMs = 1_000;
/** A worker that has not told its metrics by then is left out: whoever asked does not wait longer. */
const metricsWithinMs = 1_000;

export type WorkerTools = {
  /** The program that a worker runs, and what it is started with. */
  program: string;
  execArgv: string[];
  env: Record<string, string | undefined>;
  edges: Pick<Edges, 'monotonic'>;
  log: Log;
  stalledMs: number;
  /** With this code a worker ends that cannot work with this configuration. */
  badConfig: number;
  /** Told of one that cannot work with this configuration, and never could. */
  onUnfit: () => void;
};

/** What a worker says: that it is there, or its metrics when it was asked for them. */
export type WorkerWord = 'alive' | { metrics: string };

const isMetrics = (word: unknown): word is { metrics: string } =>
  typeof (word as { metrics?: unknown } | null)?.metrics === 'string';

const metricsOf = (child: ChildProcess): Promise<string | null> =>
  new Promise((resolve) => {
    const end = (answer: string | null): void => {
      clearTimeout(timer);
      child.off('message', hear);
      resolve(answer);
    };
    const hear = (word: unknown): void => {
      if (isMetrics(word)) end(word.metrics);
    };
    const timer = setTimeout(() => end(null), metricsWithinMs);
    child.on('message', hear);
    child.send('metrics', (error) => error && end(null));
  });

/**
 * Worker processes that are started again when they die; they end when the IPC channel closes. One that has not been heard of
 * for `stalledMs` is killed: it may hold the lock of the database.
 */
export const makeWorkerProcesses = (count: number, tools: WorkerTools) => {
  const { env, edges, log, stalledMs } = tools;
  const children = new Map<number, ChildProcess>();
  const heardAt = new Map<ChildProcess, number>();
  let stopping = false;
  let lookedAt = edges.monotonic();
  const watch = setInterval(() => {
    const now = edges.monotonic();
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
    const startedAt = edges.monotonic();
    const child = fork(tools.program, ['worker-of-web', String(place)], {
      env,
      execArgv: [...tools.execArgv, '--max-semi-space-size=32'],
    });
    children.set(place, child);
    // from its first word on: nobody knows how long a start takes
    child.on('message', () => heardAt.set(child, edges.monotonic()));
    child.on('exit', (code, signal) => {
      children.delete(place);
      heardAt.delete(child);
      if (stopping) return;
      if (code === tools.badConfig) return tools.onUnfit();
      // one that lived for a while was killed; one that dies at once would only die again
      const count = edges.monotonic() - startedAt > 1_000 ? 0 : deaths;
      const pause = restartAfterMs[Math.min(count, restartAfterMs.length - 1)] ?? 0;
      log.error({ code, signal, pause }, 'a worker died; it is started again');
      setTimeout(() => !stopping && start(place, count + 1), pause);
    });
  };
  for (let place = 0; place < count; place += 1) start(place, 0);
  const connected = (): ChildProcess[] => [...children.values()].filter((child) => child.connected);
  return {
    wake: () => {
      for (const child of connected()) child.send('wake');
    },
    /** What each of them exposes; one that does not answer soon is left out. */
    metrics: async (): Promise<string[]> =>
      (await Promise.all(connected().map(metricsOf))).filter((one) => one !== null),
    stop: async () => {
      stopping = true;
      clearInterval(watch);
      const exits = [...children.values()].map((child) => new Promise((resolve) => child.once('exit', resolve)));
      for (const child of children.values()) child.kill('SIGTERM');
      await Promise.all(exits);
    },
  };
};
