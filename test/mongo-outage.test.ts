import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startCountingSink } from './helpers/counting-sink.ts';
import { newMongoDatabase } from './helpers/engines.ts';
import { type FerretDb, startFerretDb } from './helpers/ferretdb.ts';
import { startSerialProxy } from './helpers/mongo-serial-proxy.ts';
import { expectEachToldOnce, importPeople, publishItem, until, untilDone } from './helpers/push-over-api.ts';
import { rounds } from './helpers/soak.ts';
import { type Service, startService } from './helpers/start-service.ts';

const command = process.env.FERRETDB;
const within = 300_000;
const people = 60;
/** The email channel's slots at one connection: what may be in flight when the server dies. */
const slots = 20;

const suite = (): void => {
  let closing: (() => Promise<unknown> | unknown)[] = [];
  afterEach(async () => {
    for (const close of closing.reverse()) await close();
    closing = [];
  });

  const refusal = { status: 503, type: 'application/problem+json; charset=utf-8', retryAfter: '5' };
  /** What an API call is answered now. */
  const answerTo = async (service: Service, method: string, path: string, body?: unknown) => {
    const { status, headers, body: problem } = await service.api(method, path, body);
    const [type, retryAfter] = [headers.get('content-type'), headers.get('retry-after')];
    return { status, type, retryAfter, code: (problem as { code?: string }).code };
  };

  it.each(rounds())(
    'killed and started again in the middle of a push: calls answer 503 meanwhile, nobody is missed or settled twice (round %i)',
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'bellman-ferretdb-'));
      closing.push(() => rmSync(folder, { recursive: true, force: true }));
      let server: FerretDb = await startFerretDb(command ?? '', folder);
      closing.push(() => server.kill());
      const proxy = await startSerialProxy(server.uri);
      closing.push(proxy.close);
      const sink = await startCountingSink(15, 1);
      closing.push(sink.close);
      const { env } = newMongoDatabase(proxy.uri);
      const service = await startService({
        env: { ...env, EMAIL_URL: sink.url, WORKERS: '1', LEASE_MS: '3000', LOG_LEVEL: 'fatal' },
      });
      closing.push(() => service.stop());
      const processes = [service.process.pid, ...service.workers()];
      await importPeople(service, people);
      const push = await publishItem(service);
      await until('mails are going out', () => sink.total() >= 5);
      await server.kill();

      const unavailable = { ...refusal, code: 'store-unavailable' };
      expect(await answerTo(service, 'GET', `/pushes/${push}`)).toEqual(unavailable);
      expect(await answerTo(service, 'POST', '/items', { title: 'x', summary: 'y', language: 'en' })).toEqual(
        unavailable,
      );
      const [ready, alive] = [await fetch(`${service.url}/readyz`), await fetch(`${service.url}/healthz`)];
      expect([ready.status, ((await ready.json()) as { code: string }).code]).toEqual([503, 'store-unavailable']);
      expect(alive.status).toBe(200);

      server = await startFerretDb(command ?? '', folder);
      proxy.aim(server.uri);
      await until('the service is ready again', async () => (await fetch(`${service.url}/readyz`)).status === 200);
      await untilDone(service, push);
      const extra = await expectEachToldOnce(service, push, { sink, people });
      process.stdout.write(`outage test: ${extra} extra copies (at most ${slots} allowed)\n`);
      expect(extra).toBeLessThanOrEqual(slots);
      // it has mended itself: nobody was started again
      expect([service.process.pid, ...service.workers()]).toEqual(processes);
    },
    within,
  );
};

if (command) describe('a MongoDB server', suite);
else if (process.env.REQUIRE_MONGO === '1')
  it('a MongoDB server that is killed is there', () => {
    throw new Error('REQUIRE_MONGO=1, but FERRETDB names no server that a test may start and kill');
  });
else {
  process.stderr.write('SKIPPED: the outage of MongoDB; FERRETDB names no server to start and kill (docs/scale.md)\n');
  describe.skip('a MongoDB server', suite);
}
