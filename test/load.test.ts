import { join } from 'node:path';
import { projectRoot } from '../src/project-root.ts';
import { type Service, startService } from './helpers/start-service.ts';

/**
 * A busy minute, twenty in the long run (`npm run test:soak`): people sign up, garbage comes between, pages and lists are read, and
 * a push goes out to the outbox. Paced, so that it is light. How long answers take is measured by `npm run bench:load`, on a machine that does nothing else.
 */
const runMs = process.env.SOAK ? 20 * 60_000 : 60_000;
const people = 2_000;
const turnMs = 250;
/**
 * What a process may keep more of at the end than half-way, in bytes. Measured: 0.03 MB more (web) and 0.4 MB (worker) in the second half
 * of a minute; 0.8 MB more from the first to the seventh, all of it compiled code. Without the collection a heap grows by some MB a
 * minute and shrinks again: nothing presses to collect what has grown old.
 */
const slack = 3_000_000;

type Ask = { method: string; path: string; body?: string | Buffer; type?: string; right: (status: number) => boolean };

const answered = (status: number): boolean => status >= 200 && status < 400;
const refused = (status: number): boolean => status >= 400 && status < 500;
const json = 'application/json';

const signUp = (n: number): Ask => ({
  ...{ method: 'POST', path: '/api/v1/subscriptions', type: json, right: answered },
  body: JSON.stringify({ email: `new${n}@example.org`, follow: [{ topic: 'services' }, { topic: 'policies' }] }),
});
const pages = ['/', '/topics', '/topics/services', '/search?q=water', '/api/v1/topics', '/api/v1/items'];
const garbage: Ask[] = [
  { ...signUp(0), right: refused, body: '{"email": "broken' },
  { ...signUp(0), right: refused, body: JSON.stringify({ email: { $gt: '' }, follow: 7 }) },
  { ...signUp(0), right: refused, body: Buffer.from([0xff, 0xfe, 0x00, 0x80, 0x7b]) },
  { ...signUp(0), right: refused, body: JSON.stringify({ email: 'x'.repeat(300_000), follow: [] }) },
  { method: 'DELETE', path: '/api/v1/pushes/%00', right: refused },
];

/** What comes in one turn: one in twenty is garbage. */
const turn = (n: number): Ask[] => [
  signUp(n),
  ...pages
    .slice(0, 3)
    .map((_, at): Ask => ({ method: 'GET', path: pages[(n + at) % pages.length] ?? '/', right: answered })),
  ...(n % 5 === 0 ? [garbage[(n / 5) % garbage.length] ?? signUp(n)] : []),
];

/** What was answered wrongly, as a line; null where it was right. */
const faultOf = async (
  service: Service,
  { method, path, body, type, right }: Ask,
  n: number,
): Promise<string | null> => {
  try {
    const from = `10.${(n >> 8) & 255}.${n & 255}.1`;
    const headers = { 'x-forwarded-for': from, ...(type ? { 'content-type': type } : {}) };
    const answer = await fetch(`${service.url}${path}`, { method, headers, ...(body === undefined ? {} : { body }) });
    await answer.arrayBuffer();
    return right(answer.status) ? null : `${method} ${path}: ${answer.status}`;
  } catch (error) {
    return `${method} ${path}: ${error}`;
  }
};

type Heaps = Partial<Record<'web' | 'worker', number>>;

/** Bytes of the heaps of the web process and, where it answered the web process in time, of its worker. */
const heaps = async (service: Service): Promise<Heaps> => {
  const text = await (await fetch(`${service.url}/metrics`)).text();
  const found = [...text.matchAll(/^nodejs_heap_size_used_bytes(\{[^}]*\})? (\d+)/gm)];
  return Object.fromEntries(found.map(([, of, bytes]) => [/worker=/.test(of ?? '') ? 'worker' : 'web', Number(bytes)]));
};

/** What both processes keep: their heaps, the least of some, right after all garbage was collected. */
const kept = async (service: Service): Promise<Required<Heaps>> => {
  const least = { web: Number.POSITIVE_INFINITY, worker: Number.POSITIVE_INFINITY };
  for (let n = 0; n < 10; n += 1) {
    for (const pid of [service.process.pid ?? 0, ...service.workers()]) process.kill(pid, 'SIGUSR2');
    await new Promise((resolve) => setTimeout(resolve, 300));
    const { web = least.web, worker = least.worker } = await heaps(service);
    least.web = Math.min(least.web, web);
    least.worker = Math.min(least.worker, worker);
  }
  return least;
};

describe('a busy service', () => {
  it(
    'answers all that is valid, refuses all that is not, tells everybody once, and keeps nothing in memory',
    async () => {
      const preload = join(projectRoot, 'test/helpers/collect-on-signal.cjs');
      const env = { TRUST_PROXY: '1', LOG_LEVEL: 'error', NODE_OPTIONS: `--require ${preload}` };
      const service = await startService({ env });
      const lines = Array.from({ length: people }, (_, n) =>
        JSON.stringify({ email: `p${n}@example.org`, verified: true, follow: [{ topic: 'services' }] }),
      );
      expect((await service.api('POST', '/subscribers/import', lines.join('\n'))).status).toBe(200);
      const item = { title: 'Water is off', summary: 'On Wednesday.', language: 'en', topics: ['services'] };
      const { id } = (await service.api('POST', '/items', item)).body as { id: string };
      const { push } = (await service.api('POST', `/items/${id}/publish`)).body as { push: { id: string } };

      const faults: string[] = [];
      let halfWay: Promise<Required<Heaps>> | null = null;
      const asked: Promise<void>[] = [];
      const started = performance.now();
      for (let n = 0; performance.now() - started < runMs; n += 1) {
        for (const ask of turn(n))
          asked.push(faultOf(service, ask, n).then((fault) => void (fault !== null && faults.push(fault))));
        if (performance.now() - started > runMs / 2) halfWay ??= kept(service);
        await new Promise((resolve) =>
          setTimeout(resolve, Math.max(0, started + (n + 1) * turnMs - performance.now())),
        );
        // no more than a few turns are open at once, however slow the machine
        if (asked.length > 40) await Promise.all(asked.splice(0));
      }
      await Promise.all(asked);
      const [before, after] = [await halfWay, await kept(service)];

      const done = (await service.api('GET', `/pushes/${push.id}`)).body as { state: string; counts: { sent: number } };
      await service.stop();
      expect(faults).toEqual([]);
      expect([done.state, done.counts.sent]).toEqual(['done', people]);
      for (const process of ['web', 'worker'] as const) {
        expect([process, Number.isFinite(before?.[process]), Number.isFinite(after[process])]).toEqual([
          process,
          true,
          true,
        ]);
        expect(after[process]).toBeLessThan((before?.[process] ?? 0) + slack);
      }
    },
    runMs + 120_000,
  );
});
