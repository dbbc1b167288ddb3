import { type CountingSink, startCountingSink } from './helpers/counting-sink.ts';
import { rounds } from './helpers/soak.ts';
import { kill, type Service, startService } from './helpers/start-service.ts';

const people = 5_000;
const kills = 10;
/** The email channel's slots at 20 connections: what may be in flight when a worker dies. */
const slots = 400;
const leaseMs = '1000';
/** Generous: what takes seconds on an idle machine takes minutes beside other work. */
const within = 300_000;

type Push = { id: string; state: string; counts: Record<string, number> };
type Page = { deliveries: { subscriber: string; state: string }[]; next: string | null };

const email = (n: number): string => `person${n}@example.org`;

const settle = async (service: Service): Promise<string> => {
  const lines = Array.from({ length: people }, (_, n) =>
    JSON.stringify({ email: email(n), verified: true, follow: [{ topic: 'services' }] }),
  );
  const imported = await service.api('POST', '/subscribers/import', lines.join('\n'));
  expect(imported.body).toMatchObject({ imported: people, failed: 0 });
  const item = { title: 'Water is off', summary: 'On Wednesday.', language: 'en', topics: ['services'] };
  const created = await service.api('POST', '/items', item);
  return (created.body as { id: string }).id;
};

const until = async <T>(what: string, ask: () => Promise<T | null> | T | null, withinMs = within / 2): Promise<T> => {
  const giveUp = Date.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (answer !== null) return answer;
    if (Date.now() > giveUp) throw new Error(`waited too long until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};

const allDeliveries = async (service: Service, push: string): Promise<Page['deliveries']> => {
  const all: Page['deliveries'] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page: Page = (
      await service.api('GET', `/pushes/${push}/deliveries?limit=200${cursor && `&cursor=${cursor}`}`)
    ).body as Page;
    all.push(...page.deliveries);
    cursor = page.next;
  }
  return all;
};

/** Kills at ten random moments of the push; `strike` kills and brings back what it killed. */
const killThrough = async (sink: CountingSink, service: Service, strike: (service: Service) => Promise<Service>) => {
  const item = await settle(service);
  const published = await service.api('POST', `/items/${item}/publish`);
  const { push } = published.body as { push: Push };
  let running = service;
  for (let n = 1; n <= kills; n += 1) {
    const mark = sink.total() + 1 + Math.floor(Math.random() * (people / (kills + 2)));
    await until(`${mark} mails of kill ${n}`, () => (sink.total() >= mark ? true : null));
    running = await strike(running);
  }
  await until('the push is done', async () => {
    const now = (await running.api('GET', `/pushes/${push.id}`)).body as Push;
    return now.state === 'done' ? now : null;
  });
  return { running, push: (await running.api('GET', `/pushes/${push.id}`)).body as Push };
};

const expectExactlyOnce = async (sink: CountingSink, service: Service, push: Push): Promise<void> => {
  expect(push).toMatchObject({
    counts: { matched: people, sent: people, planned: 0, sending: 0, deferred: 0, failed: 0 },
  });
  const rows = await allDeliveries(service, push.id);
  expect(rows.length).toBe(people);
  expect(new Set(rows.map((row) => row.subscriber)).size).toBe(people);
  expect(rows.filter((row) => row.state !== 'sent')).toEqual([]);

  expect([...sink.received.keys()].sort()).toEqual(Array.from({ length: people }, (_, n) => email(n)).sort());
  const ids = [...sink.received.values()].map((copies) => new Set(copies));
  expect(ids.filter((one) => one.size !== 1)).toEqual([]);
  expect(new Set(ids.flatMap((one) => [...one])).size).toBe(people);
  const extra = sink.total() - people;
  process.stdout.write(`kill test: ${kills} kills, ${extra} extra copies (at most ${kills * slots} allowed)\n`);
  expect(extra).toBeLessThanOrEqual(kills * slots);
};

describe.each(rounds())('kill -9 in the middle of a push to 5,000 people (round %i)', () => {
  let sink: CountingSink;
  let service: Service;
  beforeEach(async () => {
    sink = await startCountingSink(15);
    service = await startService({ env: { EMAIL_URL: sink.url, LEASE_MS: leaseMs, LOG_LEVEL: 'fatal' } });
  });
  afterEach(async () => {
    await service.stop();
    await sink.close();
  });

  it(
    'of the worker: nobody is missed, nobody is settled twice',
    async () => {
      const { running, push } = await killThrough(sink, service, async (current) => {
        for (const pid of current.workers()) kill(pid);
        return current;
      });
      await expectExactlyOnce(sink, running, push);
    },
    within,
  );

  it(
    'of everything: nobody is missed, nobody is settled twice',
    async () => {
      const { running, push } = await killThrough(sink, service, async (current) => {
        await current.killAll();
        service = await startService({
          dataDir: current.dataDir,
          env: { EMAIL_URL: sink.url, LEASE_MS: leaseMs, LOG_LEVEL: 'fatal' },
        });
        return service;
      });
      await expectExactlyOnce(sink, running, push);
    },
    within,
  );
});
