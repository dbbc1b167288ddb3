import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ItemContent } from '../../src/publishing/item.ts';
import { openSqlite } from '../../src/storage/sqlite/database.ts';
import { makeBrowser, startPushSink } from '../helpers/push-sink.ts';
import { smtpError, startSmtpSink } from '../helpers/smtp-sink.ts';
import { makeTown, publisher, type Town } from '../helpers/town.ts';

const content: ItemContent = {
  title: 'Water is off',
  summary: 'On Wednesday.',
  language: 'en',
  topics: ['services'],
  urgency: 'routine',
  visibility: 'public',
};
const resident = (n: number, overrides: object = {}): object => ({
  email: `person${n}@example.org`,
  verified: true,
  follow: [{ topic: 'services' }],
  ...overrides,
});
const residents = (count: number): object[] => Array.from({ length: count }, (_, n) => resident(n));
const minutes = (count: number): number => count * 60_000;

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

describe('an SMTP server', () => {
  it('that is dead defers everybody; once it is back everybody is told, once', async () => {
    const probe = await startSmtpSink();
    await probe.close();
    const made = await town({ env: { EMAIL_URL: `smtp://127.0.0.1:${probe.port}?pool=5` } });
    await made.people(residents(60));
    const push = await publish(made);
    await made.drain();
    expect(await counts(made, push)).toEqual({ deferred: 60 });

    const sink = await startSmtpSink({ port: probe.port });
    closing.push(sink.close);
    for (let wait = 0; wait < 40 && (await counts(made, push)).sent !== 60; wait += 1) {
      made.pass(minutes(10));
      await made.drain();
    }
    expect(await counts(made, push)).toEqual({ sent: 60 });
    expect(new Set(sink.mails.map((mail) => mail.to[0])).size).toBe(60);
    expect(sink.mails).toHaveLength(60);
  }, 60_000);

  it('that refuses half for now and some for good tells the rest, then those it let wait', async () => {
    let busy = true;
    const sink = await startSmtpSink({
      onRcpt: (address) => {
        const n = Number(/\d+/.exec(address)?.[0]);
        if (n % 10 === 0) throw smtpError(550, '5.1.1 no such user');
        if (busy && n % 2 === 0) throw smtpError(451, '4.3.0 try later');
      },
    });
    closing.push(sink.close);
    const made = await town({ env: { EMAIL_URL: `smtp://127.0.0.1:${sink.port}?pool=5` } });
    await made.people(residents(40));
    const push = await publish(made);
    await made.drain();
    expect(await counts(made, push)).toEqual({ sent: 20, deferred: 16, failed: 4 });
    busy = false;
    for (let wait = 0; wait < 20; wait += 1) {
      made.pass(minutes(10));
      await made.drain();
    }
    expect(await counts(made, push)).toEqual({ sent: 36, failed: 4 });
    expect(sink.mails).toHaveLength(36);
    expect(await made.fanout.redrive({ push })).toBe(4);
    await made.drain();
    expect(await counts(made, push)).toEqual({ sent: 36, failed: 4 });
  }, 60_000);
});

describe('a push service', () => {
  it('that answers 429, 500 and 503 is tried again, not before it said; a person’s email goes on meanwhile', async () => {
    let state = 429;
    const sink = await startPushSink({ answer: () => ({ status: state, headers: { 'retry-after': '600' } }) });
    closing.push(sink.close);
    const made = await town({ env: { WEB_PUSH: 'send', ALLOW_PRIVATE_ENDPOINTS: 'on' } });
    const { endpoint, keys } = makeBrowser().subscription(sink.origin);
    await made.people([{ ...resident(1), email: undefined, webPush: { endpoint, keys } }, resident(2)]);
    const push = await publish(made);
    await made.drain();
    expect(await counts(made, push)).toEqual({ sent: 1, deferred: 1 });
    made.pass(minutes(9));
    await made.drain();
    expect(sink.count()).toBe(1);
    for (state of [500, 503, 201]) {
      made.pass(minutes(130));
      await made.drain();
    }
    expect(await counts(made, push)).toEqual({ sent: 2 });
  }, 60_000);
});

describe('the database', () => {
  const onFile = async (): Promise<{ made: Town; file: string }> => {
    const folder = mkdtempSync(join(tmpdir(), 'bellman-fault-'));
    closing.push(() => rmSync(folder, { recursive: true, force: true }));
    const file = join(folder, 'bellman.db');
    return { made: await town({ file }), file };
  };

  it('that is full refuses with 503 in mind, loses nothing, and goes on where it was', async () => {
    const { made } = await onFile();
    await made.people(residents(300));
    const push = await publish(made);
    await made.parts.duties.tick();
    const pages = Number(made.db.prepare('PRAGMA page_count').get()?.page_count);
    made.db.exec(`PRAGMA max_page_count = ${pages}`);
    await expect(
      made.publishing.create({ ...content, body: 'long '.repeat(30_000) }, null, publisher),
    ).rejects.toMatchObject({
      code: 'store-unavailable',
    });
    const claim = await made.stores.pushes.claim('full', ['at-once']);
    const running = claim ? made.parts.runner.run(claim, 'full', () => false) : null;
    await new Promise((resolve) => setTimeout(resolve, 300));
    made.db.exec('PRAGMA max_page_count = 1073741823');
    await running;
    await made.drain();
    expect(await counts(made, push)).toEqual({ sent: 300 });
    expect(made.db.prepare('SELECT count(*) AS n FROM deliveries').get()?.n).toBe(300);
  }, 60_000);

  it('that is read-only refuses, and takes the write once it may', async () => {
    const { made } = await onFile();
    made.db.exec('PRAGMA query_only = 1');
    await expect(made.publishing.create(content, null, publisher)).rejects.toMatchObject({ code: 'store-unavailable' });
    expect(await made.publishing.list({}, { cursor: null, limit: 10 })).toMatchObject({ rows: [] });
    made.db.exec('PRAGMA query_only = 0');
    expect(await made.publishing.create(content, null, publisher)).toMatchObject({ state: 'draft' });
  });

  it('that another process holds locked for a while is waited for without stopping the event loop', async () => {
    const { made, file } = await onFile();
    const other = openSqlite(file);
    closing.push(() => other.close());
    other.exec('BEGIN IMMEDIATE');
    let ticks = 0;
    const timer = setInterval(() => {
      ticks += 1;
      if (ticks === 15) other.exec('COMMIT');
    }, 100);
    const startedAt = performance.now();
    await made.publishing.create(content, null, publisher);
    clearInterval(timer);
    expect(performance.now() - startedAt).toBeGreaterThan(1_000);
    expect(ticks).toBeGreaterThanOrEqual(15);
  });
});
