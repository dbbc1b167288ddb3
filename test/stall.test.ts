import { join } from 'node:path';
import { openSqlite } from '../src/storage/sqlite/database.ts';
import { type CountingSink, startCountingSink } from './helpers/counting-sink.ts';
import { rounds } from './helpers/soak.ts';
import { type Service, startService } from './helpers/start-service.ts';

const people = 3_000;
const leaseMs = 1_000;
/** The email channel's slots at 20 connections: what may be in flight when a worker is stopped. */
const slots = 400;
const within = 180_000;

const until = async (what: string, ask: () => Promise<boolean> | boolean): Promise<void> => {
  const giveUp = Date.now() + within / 2;
  while (!(await ask())) {
    if (Date.now() > giveUp) throw new Error(`waited too long until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};

type Push = { id: string; state: string; counts: Record<string, number> };

describe('a worker that stands still (SIGSTOP) for longer than its lease, then wakes (SIGCONT)', () => {
  let sink: CountingSink;
  let service: Service;
  const start = async (more: Record<string, string> = {}): Promise<void> => {
    sink = await startCountingSink(15);
    const env = { EMAIL_URL: sink.url, LEASE_MS: String(leaseMs), WORKERS: '2', LOG_LEVEL: 'fatal', ...more };
    service = await startService({ env });
  };
  afterEach(async () => {
    await service.stop();
    await sink.close();
  });

  const publish = async (): Promise<string> => {
    const lines = Array.from({ length: people }, (_, n) =>
      JSON.stringify({ email: `person${n}@example.org`, verified: true, follow: [{ topic: 'services' }] }),
    );
    await service.api('POST', '/subscribers/import', lines.join('\n'));
    const item = { title: 'Water is off', summary: 'On Wednesday.', language: 'en', topics: ['services'] };
    const { id } = (await service.api('POST', '/items', item)).body as { id: string };
    return ((await service.api('POST', `/items/${id}/publish`)).body as { push: Push }).push.id;
  };
  /** Whether others can write: who stands still inside a transaction keeps SQLite's one write lock, which no lease mends. */
  const canWrite = async (): Promise<boolean> => {
    const db = openSqlite(join(service.dataDir, 'bellman.db'), { busyMs: 1_500 });
    try {
      return await db.write(() => true);
    } catch {
      return false;
    } finally {
      db.close();
    }
  };

  /** Stops a worker outside its transactions. */
  const stopped = async (): Promise<number> => {
    for (;;) {
      const [worker = 0] = service.workers();
      process.kill(worker, 'SIGSTOP');
      if (await canWrite()) return worker;
      process.kill(worker, 'SIGCONT');
    }
  };

  const pushOf = async (id: string): Promise<Push> => (await service.api('GET', `/pushes/${id}`)).body as Push;

  it.each(rounds())(
    'writes nothing any more: the other has taken over, nobody is missed, nobody settled twice (round %i)',
    async () => {
      await start();
      const push = await publish();
      await until('mails are going out', () => sink.total() > 200);
      const first = await stopped();
      const stoppedAt = Date.now();
      try {
        // all that is left but the stopped one's own goes out by the other, once the lease has been watched for its time
        await until('the other is done', async () => (await pushOf(push)).state === 'done');
      } finally {
        process.kill(first, 'SIGCONT');
      }
      const stood = Date.now() - stoppedAt;
      const settled = (await pushOf(push)).counts;
      expect(settled).toMatchObject({ matched: people, sent: people, sending: 0, planned: 0 });
      // the one that woke finds its leases gone: it closes, counts and sends nothing
      const awake = await publish();
      await until('the next push is done', async () => (await pushOf(awake)).state === 'done');
      expect((await pushOf(push)).counts).toEqual(settled);
      expect((await pushOf(awake)).counts).toMatchObject({ sent: people });
      const copies = [...sink.received.values()];
      expect([copies.length, copies.every((ids) => new Set(ids).size === 2)]).toEqual([people, true]);
      const extra = sink.total() - 2 * people;
      process.stdout.write(
        `stall test: stood still for ${stood} ms, ${extra} extra copies (at most ${slots} allowed)\n`,
      );
      expect(extra).toBeLessThanOrEqual(slots);
    },
    within,
  );

  it(
    'and does not wake: its web process kills it, whatever lock it held, and another takes its place',
    async () => {
      await start({ STALLED_MS: '2000' });
      const push = await publish();
      await until('mails are going out', () => sink.total() > 200);
      const before = service.workers();
      const [stopped = 0] = before;
      process.kill(stopped, 'SIGSTOP');
      await until('there is another', () => service.workers().filter((pid) => pid !== stopped).length === 2);
      expect(service.workers()).toContain(before[1]);
      await until('the push is done', async () => (await pushOf(push)).state === 'done');
      expect((await pushOf(push)).counts).toMatchObject({ matched: people, sent: people });
      expect(sink.total() - people).toBeLessThanOrEqual(slots);
    },
    within,
  );
});
