import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeOutboxChannel, readOutbox } from '../../../src/channels/outbox.ts';
import { clockEdges, makeContent, makeMessage, makeSlots, noAbort } from '../../helpers/content.ts';
import { makeBrowser } from '../../helpers/push-sink.ts';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'bellman-outbox-'));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

describe('the outbox', () => {
  it('is empty before anybody wrote to it', async () => {
    expect(await readOutbox(dataDir, { limit: 10 })).toEqual([]);
  });

  it('shows a mail as its reader would see it', async () => {
    const edges = clockEdges();
    const content = makeContent({ title: '停水通知', data: { confirm: 'x' } });
    const message = makeMessage({ id: 'm1', to: { channel: 'email', email: '李@example.org' }, content });
    const result = await makeOutboxChannel('email', dataDir, { edges }).send(message, noAbort);
    expect(result).toMatchObject({ ok: true, provider: 'outbox' });
    expect(await readOutbox(dataDir, { limit: 10 })).toEqual([
      {
        id: expect.any(String),
        channel: 'email',
        to: '李@example.org',
        at: edges.now(),
        messageId: 'm1',
        title: '停水通知',
        text: expect.stringContaining('https://office.test/notices/1?a=1&b="2"'),
        html: expect.stringContaining('href="https://office.test/notices/1?a=1&amp;b=&quot;2&quot;"'),
        url: makeSlots().item,
        unsubscribe: makeSlots().unsubscribe,
        manage: makeSlots().manage,
        data: { confirm: 'x' },
      },
    ]);
  });

  it('is nobody’s to read but its own account’s, whatever its umask', async () => {
    const umask = process.umask(0);
    try {
      await makeOutboxChannel('email', dataDir, { edges: clockEdges() }).send(makeMessage({ id: 'm1' }), noAbort);
    } finally {
      process.umask(umask);
    }
    const made = readdirSync(dataDir, { recursive: true, encoding: 'utf8' });
    expect(made).toHaveLength(3);
    expect(made.filter((name) => (statSync(join(dataDir, name)).mode & 0o077) !== 0)).toEqual([]);
  });

  it('shows texts and pushes by their own words', async () => {
    const edges = clockEdges();
    const push = makeMessage({ to: makeBrowser().subscription('https://push.test', '/p') });
    await makeOutboxChannel('sms', dataDir, { edges }).send(
      makeMessage({ to: { channel: 'sms', phone: '+8610' } }),
      noAbort,
    );
    await makeOutboxChannel('webPush', dataDir, { edges }).send(push, noAbort);
    const [sms] = await readOutbox(dataDir, { limit: 9, channel: 'sms' });
    expect(sms).toMatchObject({ to: '+8610', text: `Water off on Monday ${makeSlots().item}`, html: null });
    const [shown] = await readOutbox(dataDir, { limit: 9, channel: 'webPush' });
    expect(shown).toMatchObject({ to: 'https://push.test/p', text: 'Water will be off.' });
  });

  it('reads newest first, page by page, across writers and times', async () => {
    const edges = clockEdges();
    const writers = [makeOutboxChannel('email', dataDir, { edges }), makeOutboxChannel('email', dataDir, { edges })];
    for (let n = 0; n < 25; n += 1) {
      await writers[n % 2]?.send(makeMessage({ id: `m${n}` }), noAbort);
      edges.advance(n === 12 ? 3_600_000 : 777);
    }
    const read: string[] = [];
    for (let after: string | undefined; ; ) {
      const page = await readOutbox(dataDir, { limit: 10, ...(after ? { after } : {}) });
      if (page.length === 0) break;
      read.push(...page.map((entry) => entry.messageId));
      after = page.at(-1)?.id;
    }
    expect(read).toEqual(Array.from({ length: 25 }, (_, n) => `m${24 - n}`));
  });

  it('passes over a file that was cut off', async () => {
    const edges = clockEdges();
    const channel = makeOutboxChannel('email', dataDir, { edges });
    await channel.send(makeMessage({ id: 'm1' }), noAbort);
    const [entry] = await readOutbox(dataDir, { limit: 1 });
    writeFileSync(join(dataDir, 'outbox', (entry?.id ?? '').replace(/\/\d/, '/9')), '{"chan');
    expect(await readOutbox(dataDir, { limit: 5 })).toHaveLength(1);
  });

  it('a disk that refuses is a transient failure, and writing goes on once it takes again', async () => {
    const edges = clockEdges();
    const channel = makeOutboxChannel('email', dataDir, { edges });
    writeFileSync(join(dataDir, 'outbox'), 'in the way');
    expect(await channel.send(makeMessage(), noAbort)).toMatchObject({
      ok: false,
      kind: 'transient',
      reason: 'storage',
    });
    rmSync(join(dataDir, 'outbox'));
    expect(await channel.send(makeMessage(), noAbort)).toMatchObject({ ok: true });
  });
});
