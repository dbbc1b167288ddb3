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
  const start = (dataDir?: string): Promise<Service> =>
    startService({
      ...(dataDir === undefined ? {} : { dataDir }),
      env: { ...database.env, EMAIL_URL: sink.url, LEASE_MS: '1000', WORKERS: '1', LOG_LEVEL: 'fatal' },
    });
  beforeEach(async () => {
    sink = await startCountingSink(15, pool);
    database = engine.database();
    service = await start();
  }, within);
  afterEach(async () => {
    await service.stop();
    await sink.close();
    await database.drop();
  });

  /** Kills at random moments of the push; `strike` kills and brings back what it killed. */
  const killThrough = async (kills: number, strike: () => Promise<void>): Promise<void> => {
    await importPeople(service, people);
    const push = await publishItem(service);
    for (let n = 1; n <= kills; n += 1) {
      const mark = sink.total() + 1 + Math.floor(Math.random() * (people / (kills + 2)));
      await until(`${mark} mails of kill ${n}`, () => sink.total() >= mark || sink.received.size === people);
      await strike();
    }
    await untilDone(service, push);
    const extra = await expectEachToldOnce(service, push, { sink, people });
    process.stdout.write(
      `kill test on ${engine.name}: ${kills} kills, ${extra} extra copies (at most ${kills * slots} allowed)\n`,
    );
    expect(extra).toBeLessThanOrEqual(kills * slots);
  };

  it.each(rounds())(
    'of the worker: nobody is missed, nobody is settled twice (round %i)',
    () =>
      killThrough(engine.some(5, 2), async () => {
        for (const pid of service.workers()) kill(pid);
      }),
    within,
  );

  it.each(rounds())(
    'of the web process: nobody is missed, nobody is settled twice (round %i)',
    () =>
      killThrough(2, async () => {
        await service.killWeb();
        service = await start(service.dataDir);
      }),
    within,
  );

  it.each(rounds())(
    'of everything: nobody is missed, nobody is settled twice (round %i)',
    () =>
      killThrough(engine.some(5, 2), async () => {
        await service.killAll();
        service = await start(service.dataDir);
      }),
    within,
  );
});
