import { startCountingSink } from './helpers/counting-sink.ts';
import { newMongoDatabase } from './helpers/engines.ts';
import { describeWithMongo } from './helpers/open-mongo.ts';
import { expectEachToldOnce, importPeople, publishItem, until, untilDone } from './helpers/push-over-api.ts';
import { kill, type Service, startService } from './helpers/start-service.ts';

const people = 30;

describeWithMongo('the processes on MongoDB', () => {
  it('are as many as one likes: a push goes out whole though the workers of one machine are killed', async () => {
    const sink = await startCountingSink(20);
    const database = newMongoDatabase(process.env.MONGODB_URI ?? '');
    const env = { ...database.env, EMAIL_URL: sink.url, WORKERS: '1', LEASE_MS: '2000' };
    const machines: Service[] = [];
    for (let n = 0; n < 2; n++) machines.push(await startService({ env }));
    const [one, two] = machines as [Service, Service];

    await importPeople(one, people);
    const push = await publishItem(two);
    await until('mails are in flight', () => sink.total() > 0);
    for (const pid of one.workers()) kill(pid);
    await untilDone(two, push);
    // whatever was in flight at the kill went out again under its own Message-ID
    await expectEachToldOnce(two, push, { sink, people });

    for (const machine of machines) await machine.stop();
    await sink.close();
    await database.drop();
  }, 180_000);
});
