import { randomBytes } from 'node:crypto';
import { openMongo } from '../src/storage/mongo/connection.ts';
import { startCountingSink } from './helpers/counting-sink.ts';
import { describeWithMongo } from './helpers/open-mongo.ts';
import { kill, type Service, startService } from './helpers/start-service.ts';

const people = 30;
const within = 90_000;

const until = async (what: string, isSo: () => boolean | Promise<boolean>): Promise<void> => {
  for (const end = Date.now() + within; Date.now() < end; ) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${what}: not within ${within} ms`);
};

describeWithMongo('the processes on MongoDB', () => {
  it(
    'are as many as one likes: a push goes out whole though the workers of one machine are killed',
    async () => {
      const sink = await startCountingSink(20);
      const name = `bellman_test_${randomBytes(6).toString('hex')}`;
      const address = new URL(process.env.MONGODB_URI ?? '');
      address.pathname = `/${name}`;
      const env = {
        DATABASE_URL: address.toString(),
        SECRET: 'a secret for tests only',
        EMAIL_URL: sink.url,
        WORKERS: '1',
        LEASE_MS: '2000',
      };
      const machines: Service[] = [];
      for (let n = 0; n < 2; n++) machines.push(await startService({ env }));
      const [one, two] = machines as [Service, Service];

      const lines = Array.from({ length: people }, (_, n) =>
        JSON.stringify({ email: `person${n}@example.org`, verified: true, follow: [{ topic: 'services' }] }),
      );
      const imported = await one.api('POST', '/subscribers/import', lines.join('\n'));
      expect(imported.body).toMatchObject({ imported: people, failed: 0 });
      const item = { title: 'Water is off', summary: 'On Wednesday.', language: 'en', topics: ['services'] };
      const created = (await two.api('POST', '/items', item)).body as { id: string };
      const published = await one.api('POST', `/items/${created.id}/publish`);
      const push = (published.body as { push: { id: string } }).push.id;
      await until('mails are in flight', () => sink.total() > 0);
      for (const pid of one.workers()) kill(pid);
      const state = async () => (await two.api('GET', `/pushes/${push}`)).body as { state: string; counts: object };
      await until('the push is done', async () => (await state()).state === 'done');
      expect((await state()).counts).toMatchObject({ matched: people, sent: people });
      expect(sink.received.size).toBe(people);
      // whatever was in flight at the kill went out again under its own Message-ID
      for (const ids of sink.received.values()) expect(new Set(ids).size).toBe(1);

      for (const machine of machines) await machine.stop();
      await sink.close();
      const { db, close } = await openMongo(address.toString());
      await db.dropDatabase();
      await close();
    },
    within * 2,
  );
});
