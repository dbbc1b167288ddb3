import { type Service, startService } from './helpers/start-service.ts';

/**
 * A busy minute, twenty in the long run (`npm run test:soak`): people sign up, garbage comes between, pages and lists are read, and
 * a push goes out to the outbox. Paced, so that it is light. How long answers take is measured by `npm run bench:load`, on a machine that does nothing else.
 */
const runMs = process.env.SOAK ? 20 * 60_000 : 60_000;
const people = 2_000;
const turnMs = 250;
/** A heap is as large as what is left after garbage was collected: its least of some time. */
const quarters = 4;
/** A quarter's least heap may be that much larger: a minute is too short for the large collections, and caches fill. */
const slack = { times: 1.2, bytes: 12_000_000 };

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

describe('a busy service', () => {
  it(
    'answers all that is valid, refuses all that is not, tells everybody once, and keeps nothing in memory',
    async () => {
      const service = await startService({ env: { TRUST_PROXY: '1', LOG_LEVEL: 'error' } });
      const lines = Array.from({ length: people }, (_, n) =>
        JSON.stringify({ email: `p${n}@example.org`, verified: true, follow: [{ topic: 'services' }] }),
      );
      expect((await service.api('POST', '/subscribers/import', lines.join('\n'))).status).toBe(200);
      const item = { title: 'Water is off', summary: 'On Wednesday.', language: 'en', topics: ['services'] };
      const { id } = (await service.api('POST', '/items', item)).body as { id: string };
      const { push } = (await service.api('POST', `/items/${id}/publish`)).body as { push: { id: string } };

      const faults: string[] = [];
      const samples: Heaps[] = [];
      const asked: Promise<void>[] = [];
      const started = performance.now();
      for (let n = 0; performance.now() - started < runMs; n += 1) {
        for (const ask of turn(n))
          asked.push(faultOf(service, ask, n).then((fault) => void (fault !== null && faults.push(fault))));
        if (n % 2 === 0) samples.push(await heaps(service));
        await new Promise((resolve) =>
          setTimeout(resolve, Math.max(0, started + (n + 1) * turnMs - performance.now())),
        );
        // no more than a few turns are open at once, however slow the machine
        if (asked.length > 40) await Promise.all(asked.splice(0));
      }
      await Promise.all(asked);

      const done = (await service.api('GET', `/pushes/${push.id}`)).body as { state: string; counts: { sent: number } };
      await service.stop();
      expect(faults).toEqual([]);
      expect([done.state, done.counts.sent]).toEqual(['done', people]);
      const least = (quarter: number, process: keyof Heaps): number => {
        const [from, to] = [quarter - 1, quarter].map((one) => Math.floor((samples.length * one) / quarters));
        return Math.min(...samples.slice(from, to).map((one) => one[process] ?? Number.POSITIVE_INFINITY));
      };
      for (const process of ['web', 'worker'] as const) {
        const [before, after] = [least(3, process), least(4, process)];
        expect([process, Number.isFinite(before)]).toEqual([process, true]);
        expect(after).toBeLessThan(before * slack.times + slack.bytes);
      }
    },
    runMs + 120_000,
  );
});
