import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import autocannon from 'autocannon';
import { type Service, startService } from '../test/helpers/start-service.ts';
import { startSink } from './fanout/bare.ts';
import { importPeople, type Push } from './fanout/town.ts';
import { percentile, printTable } from './table.ts';

/**
 * A busy day within minutes: people sign up, some of what comes is garbage, others read pages and call the API, and meanwhile
 * one push after the other goes out by SMTP to a sink of its own process. Every valid request must be answered, every garbage
 * one refused. Printed: errors, p50 and p99 of each kind, and the resident memory of web and worker process in the third and
 * the last quarter of the time. Everything shares the cores of one machine: the clients, the sink, the service.
 */
const quick = process.argv.includes('--quick');
const signUps = quick ? 1_000 : 50_000;
const people = quick ? 2_000 : 100_000;
const garbageShare = 0.05;
const clients = 16;
const readers = 4;
/** Just below what everybody together may send in a minute (6,000): above it people are told to come back, as they should be. */
const signUpsASecond = 98;
/** `--minutes`: what is not done by then is left undone, and what was done is printed. */
const minutes = Number(process.argv[process.argv.indexOf('--minutes') + 1]) || 15;
const limitMs = minutes * 60_000;

type Kind = 'sign-up' | 'garbage';
type Outcome = { kind: Kind; ms: number; status: number };
type Ask = { method: string; path: string; body: string | Buffer; type: string };

const signUp = (n: number): Ask => ({
  method: 'POST',
  path: '/api/v1/subscriptions',
  type: 'application/json',
  body: JSON.stringify({ email: `new${n}@example.org`, follow: [{ topic: 'services' }, { topic: 'policies' }] }),
});

const garbage: Ask[] = [
  { ...signUp(0), body: '{"email": "broken' },
  { ...signUp(0), body: JSON.stringify({ email: { $gt: '' }, follow: 7 }) },
  { ...signUp(0), body: JSON.stringify({ email: 'x@example.org', follow: [{ topic: 'no-such-topic' }], admin: true }) },
  { ...signUp(0), body: Buffer.from([0xff, 0xfe, 0x00, 0x80, 0x7b]) },
  { ...signUp(0), type: 'text/plain' },
  { ...signUp(0), body: JSON.stringify({ email: 'x'.repeat(2_000_000), follow: [] }) },
  { ...signUp(0), path: '/api/v1/items', body: '{}' },
  { ...signUp(0), path: '/api/v1/../../etc/passwd' },
  { ...signUp(0), method: 'DELETE', path: '/api/v1/pushes/%00' },
];

/** Many people: limits by address of the sender stop a flood of one. */
const addressOf = (n: number): string => `10.${(n >> 14) & 255}.${(n >> 6) & 255}.${n & 63}`;

const agent = new Agent({ keepAlive: true, maxSockets: clients });

const send = (url: string, { method, path, body, type }: Ask, n: number): Promise<number> =>
  new Promise((resolve, reject) => {
    const headers = {
      'content-type': type,
      'content-length': Buffer.byteLength(body),
      'x-forwarded-for': addressOf(n),
    };
    const call = request(`${url}${path}`, { method, agent, headers }, (answer) => {
      answer.resume();
      answer.once('end', () => resolve(answer.statusCode ?? 0));
      answer.once('error', reject);
    });
    // a refused body may be cut off while it is sent: what counts is the answer
    call.once('error', (error: NodeJS.ErrnoException) => (error.code === 'EPIPE' ? resolve(413) : reject(error)));
    call.end(body);
  });

const residents = (service: Service): { web: number; worker: number } => {
  const of = (pid: number | undefined): number =>
    Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  return { web: of(service.process.pid), worker: Math.max(...service.workers().map(of)) };
};

/** Signs people up at an even pace, with garbage between; answers what became of each request. */
const crowd = async (service: Service, until: number): Promise<Outcome[]> => {
  const outcomes: Outcome[] = [];
  const started = performance.now();
  let next = 0;
  const every = Math.round(1 / garbageShare);
  const client = async (): Promise<void> => {
    for (let n = next++; n < signUps && performance.now() < until; n = next++) {
      const isGarbage = n % every === 0;
      const ask = isGarbage ? (garbage[(n / every) % garbage.length] ?? signUp(n)) : signUp(n);
      const from = Math.max(performance.now(), started + (n * 1_000) / signUpsASecond);
      await sleep(from - performance.now());
      const status = await send(service.url, ask, n).catch(() => 0);
      outcomes.push({ kind: isGarbage ? 'garbage' : 'sign-up', ms: performance.now() - from, status });
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return outcomes;
};

const publish = async (service: Service): Promise<string> => {
  const item = { title: 'Water is off', summary: 'On Wednesday.', language: 'en', topics: ['services'] };
  const { id } = (await service.api('POST', '/items', item)).body as { id: string };
  return ((await service.api('POST', `/items/${id}/publish`)).body as { push: Push }).push.id;
};

/** One push after the other for as long as `isBusy`; answers how each ended. */
const pushAllTheWhile = async (service: Service, until: number, isBusy: () => boolean): Promise<Push[]> => {
  const pushes: Push[] = [];
  do pushes.push(await untilDone(service, await publish(service), until));
  while (isBusy());
  return pushes;
};

const untilDone = async (service: Service, id: string, until: number): Promise<Push> => {
  for (;;) {
    const push = (await service.api('GET', `/pushes/${id}`)).body as Push;
    if (push.state === 'done' || performance.now() > until) return push;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
};

const mean = (values: number[]): number => Math.round(values.reduce((sum, one) => sum + one, 0) / values.length);
const quarter = (samples: number[], no: number): number =>
  mean(samples.slice(Math.floor((samples.length * (no - 1)) / 4), Math.ceil((samples.length * no) / 4)));
const ms = (value: number): string => value.toFixed(0);

const sink = await startSink('smtp-sink.js');
const service = await startService({
  env: { EMAIL_URL: `smtp://${sink.address}?pool=20`, TRUST_PROXY: '1', LOG_LEVEL: 'error' },
});
try {
  await importPeople(
    service,
    people,
    (n) => ({ email: `p${n}@example.org` }),
    () => ['services'],
  );
  const started = performance.now();
  const until = started + limitMs;
  const samples: { web: number; worker: number }[] = [];
  const sampler = setInterval(() => samples.push(residents(service)), quick ? 100 : 1_000);
  const reading = autocannon({
    url: service.url,
    connections: readers,
    duration: limitMs / 1_000,
    headers: { 'x-forwarded-for': '192.0.2.1' },
    requests: ['/', '/topics', '/search?q=water', '/api/v1/topics', '/api/v1/items'].map((path) => ({ path })),
  });
  let isBusy = true;
  const [outcomes, pushes] = await Promise.all([
    crowd(service, until).finally(() => {
      isBusy = false;
    }),
    pushAllTheWhile(service, until, () => isBusy),
  ]);
  const seconds = (performance.now() - started) / 1_000;
  (reading as unknown as { stop(): void }).stop();
  const read = await reading;
  clearInterval(sampler);

  const of = (kind: Kind) => outcomes.filter((one) => one.kind === kind);
  const row = (kind: Kind, isRight: (status: number) => boolean): (string | number)[] => {
    const all = of(kind);
    const times = all.map((one) => one.ms);
    const wrong = all.filter(({ status }) => !isRight(status)).length;
    return [
      kind,
      all.length,
      wrong,
      ms(percentile(times, 0.5)),
      ms(percentile(times, 0.99)),
      Math.round(all.length / seconds),
    ];
  };
  const readErrors = read.errors + read.non2xx;
  printTable(
    [`${ms(seconds)} s`, 'requests', 'wrong', 'p50, ms', 'p99, ms', 'a second'],
    [
      row('sign-up', (status) => status === 202),
      row('garbage', (status) => status >= 400 && status < 500),
      [
        'pages and lists',
        read.requests.total,
        readErrors,
        read.latency.p50,
        read.latency.p99,
        mean([read.requests.average]),
      ],
    ],
  );
  const web = samples.map((one) => one.web);
  const worker = samples.map((one) => one.worker);
  printTable(
    ['resident memory, MB', 'third quarter', 'last quarter', 'most'],
    [
      ['web', quarter(web, 3), quarter(web, 4), Math.round(Math.max(...web))],
      ['worker', quarter(worker, 3), quarter(worker, 4), Math.round(Math.max(...worker))],
    ],
  );
  printTable(
    [`pushes to ${people.toLocaleString('en')}`, 'sent', 'seconds'],
    pushes.map(({ state, counts, createdAt, finishedAt }) => [
      state,
      counts.sent ?? 0,
      finishedAt ? ms((Date.parse(finishedAt) - Date.parse(createdAt)) / 1_000) : '',
    ]),
  );
  const wrong = of('sign-up').filter(({ status }) => status !== 202);
  for (const status of new Set(wrong.map((one) => one.status)))
    process.stdout.write(`${wrong.filter((one) => one.status === status).length} sign-ups were answered ${status}\n`);
  if (wrong.length + readErrors > 0) process.exitCode = 1;
} finally {
  agent.destroy();
  await service.stop();
  sink.stop();
}
