import { join } from 'node:path';
import { openSqlite } from '../src/storage/sqlite/database.ts';
import { type CountingSink, startCountingSink } from './helpers/counting-sink.ts';
import { onEachEngine, type ProcessDatabase } from './helpers/engines.ts';
import { expectEachToldOnce, importPeople, publishItem, pushOf, until, untilDone } from './helpers/push-over-api.ts';
import { rounds } from './helpers/soak.ts';
import { type Service, startService } from './helpers/start-service.ts';

const within = 300_000;

/** Whether others can write: who stands still inside a transaction keeps SQLite's one write lock, which no lease mends. */
const canWrite = async (file: string): Promise<boolean> => {
  const db = openSqlite(file, { busyMs: 1_500 });
  try {
    return await db.write(() => true);
  } catch {
    return false;
  } finally {
    await db.close();
  }
};

/** How many workers answer when their web process asks for their metrics. */
const workersTelling = async ({ url }: Service): Promise<number> => {
  const told = await (await fetch(`${url}/metrics`)).text();
  return new Set(told.match(/worker="\d+"/g)).size;
};

onEachEngine('a worker that stands still (SIGSTOP) for longer than its lease', (engine) => {
  const people = engine.some(3_000, 60);
  const pool = engine.some(20, 1);
  /** The email channel's slots at so many connections: what may be in flight when a worker is stopped. */
  const slots = 20 * pool;
  const some = engine.some(200, 10);
  let sink: CountingSink;
  let service: Service;
  let database: ProcessDatabase;
  const start = async (more: Record<string, string> = {}): Promise<void> => {
    sink = await startCountingSink(15, pool);
    database = engine.database();
    const env = { EMAIL_URL: sink.url, LEASE_MS: '1000', WORKERS: '2', LOG_LEVEL: 'fatal' };
    service = await startService({ env: { ...database.env, ...env, ...more } });
  };
  afterEach(async () => {
    await service.stop();
    await sink.close();
    await database.drop();
  });

  /** Stops a worker, on SQLite outside its transactions. */
  const stopped = async (): Promise<number> => {
    for (;;) {
      const [worker = 0] = service.workers();
      process.kill(worker, 'SIGSTOP');
      if (engine.name === 'MongoDB' || (await canWrite(join(service.dataDir, 'bellman.db')))) return worker;
      process.kill(worker, 'SIGCONT');
    }
  };

  it.each(rounds())(
    'and wakes (SIGCONT) writes nothing any more: the other has taken over, nobody is missed or settled twice (round %i)',
    async () => {
      await start();
      await importPeople(service, people);
      const push = await publishItem(service);
      await until('mails are going out', () => sink.total() >= some);
      const first = await stopped();
      const stoppedAt = Date.now();
      try {
        // all that is left but the stopped one's own goes out by the other, once the lease has been watched for its time
        await untilDone(service, push);
      } finally {
        process.kill(first, 'SIGCONT');
      }
      const stood = Date.now() - stoppedAt;
      await expectEachToldOnce(service, push, { sink, people });
      const { counts } = await pushOf(service, push);
      // the one that woke finds its leases gone: it closes, counts and sends nothing
      const awake = await publishItem(service);
      await untilDone(service, awake);
      expect((await pushOf(service, push)).counts).toEqual(counts);
      expect((await pushOf(service, awake)).counts).toMatchObject({ sent: people });
      const copies = [...sink.received.values()];
      expect([copies.length, copies.every((ids) => new Set(ids).size === 2)]).toEqual([people, true]);
      const extra = sink.total() - 2 * people;
      process.stdout.write(
        `stall test on ${engine.name}: stood still for ${stood} ms, ${extra} extra copies (at most ${slots} allowed)\n`,
      );
      expect(extra).toBeLessThanOrEqual(slots);
    },
    within,
  );

  // the machine's own doing, and for the sake of SQLite's lock
  if (engine.name === 'SQLite')
    it(
      'and does not wake: its web process kills it, whatever lock it held, and another takes its place',
      async () => {
        await start({ STALLED_MS: '2000' });
        await importPeople(service, people);
        // nobody knows how long a start takes: a worker is watched from its first word on
        await until('both workers work', async () => (await workersTelling(service)) === 2);
        const push = await publishItem(service);
        await until('mails are going out', () => sink.total() >= some);
        const before = service.workers();
        const [still = 0] = before;
        process.kill(still, 'SIGSTOP');
        await until('there is another', () => service.workers().filter((pid) => pid !== still).length === 2);
        expect(service.workers()).toContain(before[1]);
        await untilDone(service, push);
        expect(await expectEachToldOnce(service, push, { sink, people })).toBeLessThanOrEqual(slots);
      },
      within,
    );
});
