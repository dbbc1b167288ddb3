import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newId } from '../../src/edges.ts';
import { makePlanner } from '../../src/fanout/worker/planner.ts';
import { projectRoot } from '../../src/project-root.ts';
import type { ItemContent } from '../../src/publishing/item.ts';
import { makeBrowser, type PushSink, startPushSink } from '../helpers/push-sink.ts';
import { startSmtpSink } from '../helpers/smtp-sink.ts';
import { rounds } from '../helpers/soak.ts';
import { makeTown, publisher, type Town } from '../helpers/town.ts';
import { startWeb } from '../helpers/web.ts';

const content: ItemContent = {
  title: 'Water is off',
  summary: 'On Wednesday.',
  language: 'en',
  topics: ['services'],
  urgency: 'routine',
  visibility: 'public',
};
const residents = (count: number): object[] =>
  Array.from({ length: count }, (_, n) => ({
    email: `person${n}@example.org`,
    verified: true,
    follow: [{ topic: 'services' }],
  }));
const hour = 3_600_000;

let closing: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const close of closing.reverse()) await close();
  closing = [];
});
const town = async (options: Parameters<typeof makeTown>[0] = {}): Promise<Town> => {
  const made = await makeTown(options);
  closing.push(made.close);
  return made;
};
const publish = async (of: Town): Promise<string> => {
  const item = await of.publishing.create(content, null, publisher);
  return (await of.fanout.publish(item.id, publisher)).push.id;
};
const counts = async (of: Town, push: string) =>
  Object.fromEntries(Object.entries((await of.fanout.get(push))?.counts ?? {}).filter(([, people]) => people > 0));
const rowsOf = (of: Town): number => Number(of.db.prepare('SELECT count(*) AS n FROM deliveries').get()?.n);

describe('publishing fifty times at once', () => {
  it.each([[null], ['one-key']])(
    'with the Idempotency-Key %s makes one push, which tells each person once',
    async (key) => {
      const sink = await startSmtpSink();
      closing.push(sink.close);
      const web = await startWeb({ env: { EMAIL_URL: `smtp://127.0.0.1:${sink.port}` } });
      closing.push(web.close);
      await web.town.people(residents(30));
      const { id } = (await web.api('POST', '/items', content)).body;
      const headers: Record<string, string> = key === null ? {} : { 'idempotency-key': key };
      const answers = await Promise.all(
        Array.from({ length: 50 }, () => web.api('POST', `/items/${id}/publish`, undefined, undefined, headers)),
      );
      const taken = answers.filter((answer) => answer.status === 202);
      expect(answers.filter(({ status }) => status !== 202 && !(key !== null && status === 409))).toEqual([]);
      const [push, ...others] = new Set(taken.map((answer) => (answer.body.push as { id: string }).id));
      expect(others).toEqual([]);
      await web.town.drain();
      expect(await counts(web.town, push ?? '')).toEqual({ sent: 30 });
      expect([sink.count(), rowsOf(web.town), web.rows('SELECT id FROM pushes').length]).toEqual([30, 30, 1]);
    },
  );
});

describe('two planners of one push at once', () => {
  it.each(rounds(3))('freeze one plan and lay each batch once (round %i)', async () => {
    const made = await town();
    await made.people(residents(1_500));
    const id = await publish(made);
    const push = await made.stores.pushes.get(id);
    if (!push) throw new Error('there is no push');
    const planners = [1, 2].map(() => makePlanner(made.stores, { edges: made.edges, audience: made.audienceMatcher }));
    await Promise.all(planners.map((planner) => planner.plan(push, newId(made.edges))));
    expect((await made.stores.pushes.batchesOf(id)).map((batch) => batch.people)).toEqual([1_000, 500]);
    await made.drain();
    expect([await counts(made, id), rowsOf(made)]).toEqual([{ sent: 1_500 }, 1_500]);
  });
});

describe('a clock that jumps back an hour in the middle of a push', () => {
  it('neither stops it nor doubles it, and what waits still goes', async () => {
    let busy = true;
    const sink = await startSmtpSink({
      onRcpt: (address) => {
        if (busy && /[02468]@/.test(address)) throw Object.assign(new Error('4.3.0 later'), { responseCode: 451 });
      },
    });
    closing.push(sink.close);
    const made = await town({ env: { EMAIL_URL: `smtp://127.0.0.1:${sink.port}?pool=3` } });
    await made.people(residents(40));
    const push = await publish(made);
    await made.parts.duties.tick();
    made.pass(-hour);
    await made.drain();
    expect(await counts(made, push)).toEqual({ sent: 20, deferred: 20 });
    busy = false;
    made.pass(-hour);
    await made.drain();
    expect(sink.count()).toBe(20);
    made.pass(2 * hour);
    await made.drain();
    expect([await counts(made, push), sink.count(), rowsOf(made)]).toEqual([{ sent: 40 }, 40, 40]);
  }, 60_000);
});

describe('an SMTP server that hangs up in the middle of DATA', () => {
  it('gets those mails again, whole, and everybody one', async () => {
    let hangUps = 12;
    const sink = await startSmtpSink({ hangUpInData: () => hangUps-- > 0 });
    closing.push(sink.close);
    const made = await town({ env: { EMAIL_URL: `smtp://127.0.0.1:${sink.port}?pool=4` } });
    await made.people(residents(50));
    const push = await publish(made);
    for (let wait = 0; wait < 30 && (await counts(made, push)).sent !== 50; wait += 1) {
      await made.drain();
      made.pass(5 * 60_000);
    }
    expect([await counts(made, push), rowsOf(made)]).toEqual([{ sent: 50 }, 50]);
    expect(sink.mails.map((mail) => mail.to[0]).sort()).toEqual(
      residents(50)
        .map((one) => (one as { email: string }).email)
        .sort(),
    );
  }, 60_000);
});

describe('push services that misbehave, one person each', () => {
  const pushTown = async (answer: (path: string) => { status: number; headers?: Record<string, string> }) => {
    const paths = ['429', '500', '404', '413', '201'];
    // each its own service: what one of them suffers is not the others' fault
    const sinks: PushSink[] = await Promise.all(paths.map(() => startPushSink({ answer })));
    closing.push(...sinks.map((sink) => sink.close));
    const made = await town({ env: { WEB_PUSH: 'send', ALLOW_PRIVATE_ENDPOINTS: 'on' } });
    await made.people(
      paths.map((path, at) => {
        const { endpoint, keys } = makeBrowser().subscription(sinks[at]?.origin ?? '', `/${path}`);
        return { externalId: path, webPush: { endpoint, keys }, verified: true, follow: [{ topic: 'services' }] };
      }),
    );
    return { made, sinks };
  };

  it('settle everybody: later, not before they said; or for good, the dead endpoint forgotten', async () => {
    let well = false;
    const { made, sinks } = await pushTown((path) => {
      const status = Number(path.slice(1));
      if (well && (status === 429 || status === 500)) return { status: 201 };
      return status === 429 ? { status, headers: { 'retry-after': '900' } } : { status };
    });
    const push = await publish(made);
    await made.drain();
    expect(await counts(made, push)).toEqual({ sent: 1, deferred: 2, failed: 2 });
    expect(made.db.prepare('SELECT code FROM deliveries WHERE state = 2 ORDER BY code').all()).toEqual([
      { code: 'endpoint-gone' },
      { code: 'too-large' },
    ]);
    expect(made.db.prepare('SELECT count(*) AS n FROM addresses').get()).toEqual({ n: 4 });
    well = true;
    made.pass(14 * 60_000);
    await made.drain();
    expect([sinks[0]?.count(), await counts(made, push)]).toEqual([1, { sent: 2, deferred: 1, failed: 2 }]);
    made.pass(2 * 60_000);
    await made.drain();
    expect(await counts(made, push)).toEqual({ sent: 3, failed: 2 });
    expect(sinks.map((sink) => sink.count())).toEqual([2, 2, 1, 1, 1]);
  }, 60_000);
});

describe('a database that another process holds locked for four seconds', () => {
  const locker = `
    import Database from 'libsql';
    const db = new Database(process.argv[1]);
    db.exec('BEGIN IMMEDIATE');
    console.log('locked');
    setTimeout(() => { db.exec('COMMIT'); db.close(); }, 4000);`;

  it('holds up the push, not the event loop, and nobody is missed or told twice', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'bellman-locked-'));
    closing.push(() => rmSync(folder, { recursive: true, force: true }));
    const file = join(folder, 'bellman.db');
    const sink = await startSmtpSink();
    closing.push(sink.close);
    const made = await town({ file, env: { EMAIL_URL: `smtp://127.0.0.1:${sink.port}?pool=4` } });
    await made.people(residents(200));
    const push = await publish(made);
    await made.parts.duties.tick();
    const other = spawn(process.execPath, ['--input-type=module', '-e', locker, file], {
      cwd: projectRoot,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(other, 'exit');
    await once(other.stdout, 'data');
    let ticks = 0;
    const timer = setInterval(() => {
      ticks += 1;
    }, 50);
    const startedAt = performance.now();
    await made.drain();
    clearInterval(timer);
    const took = performance.now() - startedAt;
    expect(await ended).toEqual([0, null]);
    expect(took).toBeGreaterThan(3_000);
    // a try for the lock holds the loop for 50 ms; a loop that were stopped would hardly tick
    expect(ticks).toBeGreaterThan(20);
    expect([await counts(made, push), sink.count(), rowsOf(made)]).toEqual([{ sent: 200 }, 200, 200]);
  }, 60_000);
});
