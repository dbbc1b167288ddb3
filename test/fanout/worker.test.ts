import { lanes } from '../../src/fanout/push.ts';
import type { Claim } from '../../src/fanout/push-store.ts';
import { makeWorker, type WorkerTools } from '../../src/fanout/worker/worker.ts';
import { makeBatch, makePush } from '../helpers/fanout-builders.ts';
import { publishIn } from '../helpers/published.ts';
import { startSmtpSink } from '../helpers/smtp-sink.ts';
import { makeTown, type Town } from '../helpers/town.ts';

let closing: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const close of closing.reverse()) await close();
  closing = [];
});
const town = async (env: Record<string, string> = {}): Promise<Town> => {
  const made = await makeTown({ env });
  closing.push(made.close);
  return made;
};

/** Starts a worker over the town's store, some of its parts in the test's hand; it is stopped with the test. */
const start = (of: Town, tools: Partial<WorkerTools>) => {
  const { edges, log, parts, stores } = of;
  const worker = makeWorker(stores, { ...parts, edges, log, leaseMs: 200, ...tools });
  const running = worker.run();
  const stop = async (): Promise<void> => {
    worker.stop();
    await running;
  };
  closing.push(stop);
  return { worker, stop };
};
const noDuties = { urgent: async () => 0, tick: async () => 0 };

const until = async (what: string, holds: () => Promise<boolean> | boolean): Promise<void> => {
  for (let tries = 0; !(await holds()); tries += 1) {
    if (tries > 500) throw new Error(`waited too long until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};

const lay = async (of: Town, id: string, lane: 'emergency' | 'at-once', batches = 1): Promise<void> => {
  await of.stores.pushes.insert(makePush({ id, item: id, lane }));
  await of.stores.pushes.insertBatches(
    Array.from({ length: batches }, (_, k) => makeBatch({ id: `${id}:${k}`, push: id, lane, ordinals: [k + 1] })),
  );
};

describe('a worker', () => {
  it('keeps the place of emergencies free of what a dead worker left behind', async () => {
    const made = await town();
    await lay(made, 'routine', 'at-once', 3);
    for (const name of ['dead-1', 'dead-2', 'dead-3']) await made.stores.pushes.claim(name, [...lanes]);
    const running: string[] = [];
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const run = async ({ batch }: Claim, token: string): Promise<boolean> => {
      running.push(batch.id);
      if (batch.lane !== 'emergency') await held;
      return made.stores.pushes.close(batch.id, token);
    };
    start(made, { runner: { run }, duties: noDuties });
    closing.push(release);
    await until('two batches were taken over', () => running.length >= 2);
    await lay(made, 'urgent', 'emergency');
    await until('the emergency ran', () => running.includes('urgent:0'));
    expect(running.filter((id) => id.startsWith('routine'))).toHaveLength(2);
    release();
    await until('the third was taken over', () => running.length === 4);
  });

  it('takes over an emergency, too, whose worker has died', async () => {
    const made = await town();
    await lay(made, 'urgent', 'emergency');
    await made.stores.pushes.claim('dead', [...lanes]);
    const running: string[] = [];
    const run = async ({ batch }: Claim, token: string): Promise<boolean> => {
      running.push(batch.id);
      return made.stores.pushes.close(batch.id, token);
    };
    start(made, { runner: { run }, duties: noDuties });
    await until('it ran', () => running.length === 1);
  });

  it('pauses, longer and longer, before it takes up a batch again that was given back', async () => {
    const made = await town();
    await lay(made, 'routine', 'at-once');
    const at: number[] = [];
    const run = async ({ batch }: Claim, token: string): Promise<boolean> => {
      at.push(performance.now());
      if (at.length === 8) return made.stores.pushes.close(batch.id, token);
      await made.stores.pushes.release(batch.id, token);
      return false;
    };
    start(made, { runner: { run }, duties: noDuties });
    await until('it ran eight times', () => at.length === 8);
    expect((at[7] ?? 0) - (at[0] ?? 0)).toBeGreaterThan(150);
  });

  it('that stops aborts sends that hang, after a while, and records them: they are tried again', async () => {
    let hangs = true;
    const sink = await startSmtpSink({ silentAfterData: () => hangs });
    closing.push(sink.close);
    const made = await town({ EMAIL_URL: `smtp://127.0.0.1:${sink.port}` });
    await made.people([{ email: 'ana@example.org', verified: true, follow: [{ topic: 'services' }] }]);
    const { push } = await publishIn(made);
    const { stop } = start(made, { patienceMs: 100 });
    await until('the mail is in flight', () => sink.count() === 1);
    const stoppedAt = performance.now();
    await stop();
    expect(performance.now() - stoppedAt).toBeGreaterThan(90);
    expect(performance.now() - stoppedAt).toBeLessThan(5_000);
    const rows = async () => (await made.fanout.deliveries(push, null, { cursor: null, limit: 10 })).rows;
    expect(await rows()).toMatchObject([{ state: 'deferred', code: 'retry', attempts: 1 }]);
    expect(await made.stores.pushes.leases()).toEqual([]);
    hangs = false;
    made.pass(60_000);
    // the dispatcher that was stopped gives nothing out any more: the next worker has one of its own
    const second = await made.restarted();
    start(made, second);
    await until('the mail came again', () => sink.count() === 2);
    const ids = sink.mails.map((mail) => /^message-id: (.*)$/im.exec(mail.raw.toString())?.[1]);
    expect(new Set(ids).size).toBe(1);
  });

  it('counts a batch while it runs: who was told is seen while others of the same chunk are still being sent to', async () => {
    let taken = 0;
    const sink = await startSmtpSink({
      silentAfterData: () => {
        taken += 1;
        return taken > 1;
      },
    });
    closing.push(sink.close);
    const made = await town({ EMAIL_URL: `smtp://127.0.0.1:${sink.port}` });
    const follow = [{ topic: 'services' }];
    await made.people(['ana', 'bo'].map((name) => ({ email: `${name}@example.org`, verified: true, follow })));
    const { push } = await publishIn(made);
    start(made, { patienceMs: 100 });
    await until('one is counted', async () => (await made.fanout.get(push))?.counts.sent === 1);
    expect(await made.fanout.get(push)).toMatchObject({ state: 'running', counts: { sending: 1 } });
  });

  it('leaves the event loop its turns while it settles people of whom nobody is sent anything', async () => {
    const made = await town();
    const follow = [{ topic: 'services', pace: 'daily' }];
    await made.people(
      Array.from({ length: 4_000 }, (_, n) => ({ email: `person${n}@example.org`, verified: true, follow })),
    );
    const { push } = await publishIn(made);
    await made.parts.duties.tick();
    let turns = 0;
    const counting = setInterval(() => {
      turns += 1;
    }, 0);
    closing.push(() => clearInterval(counting));
    const token = 'one';
    for (;;) {
      const claim = await made.stores.pushes.claim(token, [...lanes]);
      if (!claim) break;
      expect(await made.parts.runner.run(claim, token, () => false)).toBe(true);
    }
    expect(turns).toBeGreaterThanOrEqual(4);
    expect((await made.fanout.get(push))?.counts).toMatchObject({ digested: 4_000 });
  });
});
