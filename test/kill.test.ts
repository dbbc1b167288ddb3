import { type CountingSink, startCountingSink } from './helpers/counting-sink.ts';
import { onEachEngine, type ProcessDatabase } from './helpers/engines.ts';
import { expectEachToldOnce, importPeople, publishItem, until, untilDone } from './helpers/push-over-api.ts';
import { rounds } from './helpers/soak.ts';
import { kill, type Service, startService } from './helpers/start-service.ts';

/** Generous: what takes seconds on an idle machine takes minutes beside other work. */
const within = 300_000;

onEachEngine('kill -9 in the middle of a push', (engine) => {
  const people = engine.some(5_000, 60);
  const pool = engine.some(20, 1);
  /** The email channel's slots at so many connections: what may be in flight when a worker dies. */
  const slots = 20 * pool;
  let sink: CountingSink;
  let service: Service;
  let database: ProcessDatabase;
  const start = (workers: number, dataDir?: string): Promise<Service> =>
    startService({
      ...(dataDir === undefined ? {} : { dataDir }),
      env: { ...database.env, EMAIL_URL: sink.url, LEASE_MS: '1000', WORKERS: String(workers), LOG_LEVEL: 'fatal' },
    });
  beforeEach(async () => {
    sink = await startCountingSink(15, pool);
    database = engine.database();
  }, within);
  afterEach(async () => {
    await service.stop();
    await sink.close();
    await database.drop();
  });

  /** Kills at random moments of the push; `strike` kills, and answers how many workers died of it. */
  const killThrough = async (kills: number, workers: number, strike: (n: number) => Promise<number>): Promise<void> => {
    service = await start(workers);
    await importPeople(service, people);
    const push = await publishItem(service);
    let dead = 0;
    for (let n = 1; n <= kills; n += 1) {
      const mark = sink.total() + 1 + Math.floor(Math.random() * (people / (kills + 2)));
      await until(`${mark} mails of kill ${n}`, () => sink.total() >= mark || sink.received.size === people);
      dead += await strike(n);
    }
    await untilDone(service, push);
    const extra = await expectEachToldOnce(service, push, { sink, people });
    process.stdout.write(
      `kill test on ${engine.name}: ${kills} kills of ${dead} workers, ${extra} extra copies (at most ${dead * slots} allowed)\n`,
    );
    expect(extra).toBeLessThanOrEqual(dead * slots);
  };

  it.each(rounds())(
    'of one worker, then of all: nobody is missed, nobody is settled twice (round %i)',
    () =>
      killThrough(engine.some(6, 3), 2, async (n) => {
        const there = service.workers();
        const struck = n % 2 === 1 ? there.slice(0, 1) : there;
        for (const pid of struck) kill(pid);
        return struck.length;
      }),
    within,
  );

  it.each(rounds())(
    'of the web process: nobody is missed, nobody is settled twice (round %i)',
    () =>
      killThrough(2, 1, async () => {
        await service.killWeb();
        service = await start(1, service.dataDir);
        return 1;
      }),
    within,
  );

  it.each(rounds())(
    'of everything: nobody is missed, nobody is settled twice (round %i)',
    () =>
      killThrough(engine.some(5, 3), 1, async () => {
        await service.killAll();
        service = await start(1, service.dataDir);
        return 1;
      }),
    within,
  );
});
