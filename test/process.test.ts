import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from '../src/project-root.ts';
import { type CountingSink, startCountingSink } from './helpers/counting-sink.ts';
import { kill, type Service, startService } from './helpers/start-service.ts';

const within = 120_000;
const people = 300;

const until = async (what: string, ask: () => Promise<boolean> | boolean): Promise<void> => {
  const giveUp = Date.now() + within;
  while (!(await ask())) {
    if (Date.now() > giveUp) throw new Error(`waited too long until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};

const publish = async (service: Service): Promise<string> => {
  const lines = Array.from({ length: people }, (_, n) =>
    JSON.stringify({ email: `person${n}@example.org`, verified: true, follow: [{ topic: 'services' }] }),
  );
  await service.api('POST', '/subscribers/import', lines.join('\n'));
  const item = { title: 'Water is off', summary: 'On Wednesday.', language: 'en', topics: ['services'] };
  const created = (await service.api('POST', '/items', item)).body as { id: string };
  const published = await service.api('POST', `/items/${created.id}/publish`);
  return (published.body as { push: { id: string } }).push.id;
};

/** Signals the service's whole process group, as a terminal does. */
const signalGroup = (service: Service, signal: NodeJS.Signals): boolean =>
  process.kill(-(service.process.pid ?? 0), signal);

/** What npm needs of our own environment. */
const npmEnv = (): Record<string, string | undefined> => ({ PATH: process.env.PATH, HOME: process.env.HOME });

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('the process', () => {
  let folder: string;
  let sink: CountingSink | null = null;
  let service: Service | null = null;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'bellman-process-'));
  });
  afterEach(async () => {
    await service?.stop();
    await sink?.close();
    sink = service = null;
    rmSync(folder, { recursive: true, force: true });
  });

  const started = async (delayMs: number): Promise<Service> => {
    sink = await startCountingSink(delayMs);
    service = await startService({ dataDir: folder, ownGroup: true, env: { EMAIL_URL: sink.url } });
    return service;
  };

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'stops clean on %s to the whole group, twice at once as npm hands it on: nobody is told twice',
    async (signal) => {
      const first = await started(150);
      const push = await publish(first);
      await until('mails are in flight', () => (sink?.total() ?? 0) >= 60);
      const metrics = await (await fetch(`${first.url}/metrics`)).text();
      expect(metrics).toMatch(/^messages_sent_total\{(?=.*channel="email").*worker="0"\} [1-9]/m);
      const ended = once(first.process, 'exit');
      signalGroup(first, signal);
      first.process.kill(signal);
      expect(await ended).toEqual([0, null]);
      service = await startService({ dataDir: folder, env: { EMAIL_URL: sink?.url ?? '' } });
      await until('the push is done', async () => {
        const now = (await service?.api('GET', `/pushes/${push}`))?.body as { state: string };
        return now.state === 'done';
      });
      expect(sink?.received.size).toBe(people);
      expect(sink?.total()).toBe(people);
    },
    within * 2,
  );

  it(
    'stops clean on SIGTERM to npm start alone, as a supervisor sends it',
    async () => {
      const npm = spawn('npm', ['start', '--ignore-scripts', '--silent'], {
        cwd: projectRoot,
        env: { ...npmEnv(), PORT: '0', HOST: '127.0.0.1', DATA_DIR: folder },
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      let out = '';
      npm.stdout.setEncoding('utf8').on('data', (text: string) => {
        out += text;
      });
      await until('it is ready', () => /ready at/.test(out));
      const url = /http:\S+/.exec(out)?.[0] ?? '';
      const health = await fetch(`${url}/healthz`);
      expect(health.status).toBe(200);
      // longer than a proxy keeps an idle connection: the proxy is the one that closes it
      expect(health.headers.get('keep-alive')).toBe('timeout=75');
      const ended = once(npm, 'exit');
      npm.kill('SIGTERM');
      expect(await ended).toEqual([0, null]);
      await expect(fetch(`${url}/healthz`)).rejects.toThrow();
    },
    within,
  );

  it(
    'ends at once, with 1, on a second signal',
    async () => {
      const first = await started(4_000);
      const workers = first.workers();
      await publish(first);
      await until('mails are in flight', () => (sink?.total() ?? 0) > 0);
      const ended = once(first.process, 'exit');
      signalGroup(first, 'SIGINT');
      await new Promise((resolve) => setTimeout(resolve, 600));
      expect(first.process.exitCode).toBeNull();
      const secondAt = Date.now();
      signalGroup(first, 'SIGINT');
      expect(await ended).toEqual([1, null]);
      await until('the worker is gone', () => !workers.some(isAlive));
      expect(Date.now() - secondAt).toBeLessThan(3_000);
    },
    within,
  );

  it(
    'ends, with 2, when a worker cannot work with the configuration any more',
    async () => {
      const key = join(folder, 'dkim.pem');
      const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
      writeFileSync(key, privateKey.export({ type: 'pkcs8', format: 'pem' }));
      const env = { DKIM_KEY: key, DKIM_SELECTOR: 's1', DKIM_DOMAIN: 'town.test' };
      service = await startService({ dataDir: folder, env });
      const ended = once(service.process, 'exit');
      rmSync(key);
      for (const pid of service.workers()) kill(pid);
      expect(await ended).toEqual([2, null]);
    },
    within,
  );

  /** Starts the service with an environment that it cannot start with. */
  const failedStart = async (env: Record<string, string>): Promise<{ code: unknown; out: string; errors: string }> => {
    const child = spawn(process.execPath, [join(projectRoot, 'dist/src/main.js')], {
      env: { PATH: process.env.PATH, PORT: '0', HOST: '127.0.0.1', DATA_DIR: folder, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const read = { out: '', errors: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      read.out += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      read.errors += text;
    });
    const tooLong = setTimeout(() => child.kill('SIGKILL'), 60_000);
    const [code] = await once(child, 'close');
    clearTimeout(tooLong);
    return { code, ...read };
  };

  it(
    'names a DKIM key that cannot sign, with all other faults, and does not start',
    async () => {
      const { code, out, errors } = await failedStart({ DKIM_KEY: '/nowhere/key.pem', PHONE_COUNTRY: 'XX' });
      expect({ code, out }).toEqual({ code: 2, out: '' });
      expect(errors.trim().split('\n')).toEqual([
        'the environment has 4 fault(s):',
        expect.stringMatching(/^ {2}PHONE_COUNTRY: /),
        expect.stringMatching(/^ {2}DKIM_KEY: .*ENOENT/),
        expect.stringMatching(/^ {2}DKIM_SELECTOR: /),
        expect.stringMatching(/^ {2}DKIM_DOMAIN: /),
      ]);
    },
    within,
  );

  const taken = createServer();
  afterAll(() => void taken.close());
  const port = async (): Promise<string> => {
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    return String((taken.address() as { port: number }).port);
  };

  it.each([
    ['a taken port', async () => ({ PORT: await port() }), /port \d+ is taken.*set PORT/],
    ['an address of another machine', () => ({ HOST: '192.0.2.1' }), /192\.0\.2\.1.*HOST/],
    ['a folder that cannot be made', () => ({ DATA_DIR: '/proc/bellman/data' }), /\/proc\/bellman.*DATA_DIR/],
    ['a file for a folder', () => ({ DATA_DIR: join(folder, 'file') }), /file cannot be.*DATA_DIR/],
    ['no database', () => ({ DATABASE_URL: `sqlite:${join(folder, 'file')}` }), /not a sound database.*DATA_DIR/],
    ['a folder for a database', () => ({ DATABASE_URL: 'sqlite:/proc' }), /cannot be opened.*DATABASE_URL/],
  ])(
    'says in one line what is wrong where the start finds %s',
    async (_what, env, words) => {
      writeFileSync(join(folder, 'file'), 'This is no database. '.repeat(200));
      const { code, out, errors } = await failedStart(await env());
      expect({ code, out }).toEqual({ code: 1, out: '' });
      expect(errors.trim().split('\n')).toEqual([expect.stringMatching(words)]);
    },
    within,
  );
});
