import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from '../src/project-root.ts';

const adminKey = 'an-admin-key-for-the-demo';
const within = 120_000;

type Push = { id: string; state: string; counts: Record<string, number> };

describe('the demo', () => {
  let dataDir: string;
  let demo: ChildProcess | null = null;
  beforeAll(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'bellman-demo-'));
  });
  const signalGroup = (signal: NodeJS.Signals): boolean => process.kill(-(demo?.pid ?? 0), signal);
  afterEach(() => {
    if (demo && demo.exitCode === null && demo.signalCode === null) signalGroup('SIGKILL');
    demo = null;
  });
  afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

  /** Starts it in a process group of its own, and waits until it has printed `text`. */
  const run = async (text: string): Promise<{ out: string; url: string }> => {
    const child = spawn(process.execPath, [join(projectRoot, 'dist/scripts/demo.js')], {
      env: { PATH: process.env.PATH, PORT: '0', HOST: '127.0.0.1', DATA_DIR: dataDir, ADMIN_API_KEY: adminKey },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    demo = child;
    let out = '';
    await new Promise<void>((resolve, reject) => {
      const read = (chunk: string): void => {
        out += chunk;
        if (out.includes(text)) resolve();
      };
      child.stdout.setEncoding('utf8').on('data', read);
      child.stderr.setEncoding('utf8').on('data', read);
      child.once('exit', (code) => reject(new Error(`the demo ended with ${code}:\n${out}`)));
    });
    return { out, url: /The town:\s+(\S+)/.exec(out)?.[1]?.replace('localhost', '127.0.0.1') ?? '' };
  };

  const pushesOf = async (url: string): Promise<Push[]> => {
    const headers = { authorization: `Bearer ${adminKey}` };
    const response = await fetch(`${url}/api/v1/pushes?limit=200`, { headers });
    return ((await response.json()) as { pushes: Push[] }).pushes;
  };

  /** Ctrl-C: the terminal signals everybody, npm hands it on to the demo. */
  const stop = async (): Promise<unknown> => {
    if (!demo) throw new Error('no demo runs');
    const ended = once(demo, 'exit');
    signalGroup('SIGINT');
    demo.kill('SIGINT');
    return ended;
  };

  it(
    'tells people of the one notice that it announces, shows how it goes, and stops clean',
    async () => {
      const { out, url } = await run('Ctrl-C stops it.');
      const pushes = await pushesOf(url);
      expect(pushes.length).toBeGreaterThan(10);
      const told = pushes.filter((push) => (push.counts.matched ?? 0) > 0);
      expect(told).toEqual([expect.objectContaining({ state: 'done' })]);
      const bars = [...out.matchAll(/\[(█*)(·*)\] (\d+) of (\d+)/g)].map(([, full, , done, all]) => ({
        full: full?.length,
        done: Number(done),
        all: Number(all),
      }));
      expect(bars.filter(({ full, all }) => all === 0 && full !== 0)).toEqual([]);
      expect(bars.at(-1)).toEqual({ full: 30, done: told[0]?.counts.matched, all: told[0]?.counts.matched });
      expect(await stop()).toEqual([0, null]);
    },
    within,
  );

  it(
    'finds everything as it was in a second run',
    async () => {
      const { out, url } = await run('Ctrl-C stops it.');
      expect(out).toContain('People: 0 new, 500 known already, 0 refused.');
      const pushes = await pushesOf(url);
      expect(pushes.filter((push) => (push.counts.matched ?? 0) > 0).length).toBe(1);
      expect(await stop()).toEqual([0, null]);
    },
    within,
  );

  it(
    'stops clean in the middle of its work, too',
    async () => {
      rmSync(dataDir, { recursive: true });
      await run('People: ');
      expect(await stop()).toEqual([0, null]);
    },
    within,
  );
});
