import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from '../../src/project-root.ts';

const adminKey = 'an-admin-key-for-tests';

export type Service = {
  url: string;
  dataDir: string;
  process: ChildProcess;
  /** Calls the API as admin; answers status, headers and parsed body. */
  api(method: string, path: string, body?: unknown): Promise<{ status: number; headers: Headers; body: unknown }>;
  /** Ids of the worker processes that run now. */
  workers(): number[];
  /** kill -9 of the web process alone: its workers end when they see that it is gone. */
  killWeb(): Promise<void>;
  /** kill -9 of the web process and its workers at once. */
  killAll(): Promise<void>;
  /** Ends the processes; removes the data unless `keep`. */
  stop(options?: { keep?: boolean }): Promise<void>;
};

export type ServiceOptions = {
  dataDir?: string;
  env?: Record<string, string>;
  /** A process group of its own, which a test may signal as a terminal does. */
  ownGroup?: boolean;
};

/** Children of a process, from /proc: what a test has to kill, and nothing it did not start. */
const childrenOf = (pid: number): number[] => {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number),
    );
  } catch {
    return [];
  }
};

const gone = (process: ChildProcess): Promise<unknown> =>
  process.exitCode !== null || process.signalCode !== null
    ? Promise.resolve()
    : new Promise((resolve) => process.once('exit', resolve));

/** Waits for the one line on standard output that holds the address. */
const readyLine = (process: ChildProcess, errors: () => string): Promise<string> =>
  new Promise((resolve, reject) => {
    let out = '';
    process.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      out += chunk;
      const found = /ready at (\S+)/.exec(out)?.[1];
      if (found) resolve(found);
    });
    process.once('exit', (code) =>
      reject(new Error(`the service ended with ${code} before it was ready:\n${errors()}`)),
    );
  });

const untilReady = async (url: string): Promise<void> => {
  for (let tries = 0; tries < 200; tries += 1) {
    if ((await fetch(`${url}/readyz`)).status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('the service did not become ready');
};

/** Starts the built service (web and worker processes) on a free port with a data folder of its own. */
export const startService = async (options: ServiceOptions = {}): Promise<Service> => {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'bellman-'));
  const child = spawn(process.execPath, [join(projectRoot, 'dist/src/main.js')], {
    cwd: projectRoot,
    env: {
      PATH: process.env.PATH,
      PORT: '0',
      HOST: '127.0.0.1',
      DATA_DIR: dataDir,
      ADMIN_API_KEY: adminKey,
      LOG_LEVEL: 'warn',
      REVIEW: 'off',
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: options.ownGroup ?? false,
  });
  let errors = '';
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    errors = (errors + chunk).slice(-20_000);
  });
  const url = (await readyLine(child, () => errors)).replace('localhost', '127.0.0.1');
  await untilReady(url);
  const workers = (): number[] => childrenOf(child.pid ?? 0);
  return {
    url,
    dataDir,
    process: child,
    api: async (method, path, body) => {
      const response = await fetch(`${url}/api/v1${path}`, {
        method,
        headers: {
          authorization: `Bearer ${adminKey}`,
          'content-type': typeof body === 'string' ? 'application/x-ndjson' : 'application/json',
        },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      return { status: response.status, headers: response.headers, body: text === '' ? null : JSON.parse(text) };
    },
    workers,
    killWeb: async () => {
      child.kill('SIGKILL');
      await gone(child);
    },
    killAll: async () => {
      const pids = workers();
      child.kill('SIGKILL');
      for (const pid of pids) kill(pid);
      await gone(child);
    },
    stop: async ({ keep = false } = {}) => {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      await gone(child);
      if (!keep) rmSync(dataDir, { recursive: true, force: true });
    },
  };
};

/** kill -9 of a process that may have ended meanwhile. */
export const kill = (pid: number): void => {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it was faster
  }
};
