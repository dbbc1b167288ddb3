import type { Channel, OutgoingMessage, SendResult } from '../../../src/channels/channel.ts';
import { makeCourier } from '../../../src/channels/courier.ts';
import { deliverTransactional, nextAttempt } from '../../../src/channels/deliver-transactional.ts';
import { failure } from '../../../src/channels/result.ts';
import { makeKeyring, newWrappedLookupKey } from '../../../src/keyring.ts';
import { makeLog } from '../../../src/log.ts';
import type { SqliteDatabase } from '../../../src/storage/sqlite/database.ts';
import { sqliteTransactionalStore } from '../../../src/storage/sqlite/transactional-store.ts';
import { clockEdges, makeContent, noAbort } from '../../helpers/content.ts';
import { openMemory } from '../../helpers/open-sqlite.ts';

const secret = 'a secret of some length';
const keyring = makeKeyring(secret, newWrappedLookupKey(secret));
const log = makeLog('silent');
const to = { channel: 'email' as const, email: 'ada@example.org' };
const ok: SendResult = { ok: true, provider: 'p', reference: null, response: 'ok' };
const busy = failure('p', { kind: 'transient', reason: 'deferred' }, 'later');

let db: SqliteDatabase;
beforeEach(async () => {
  db = await openMemory();
});
afterEach(() => db.close());

const setUp = (answers: SendResult[]) => {
  const transactional = sqliteTransactionalStore(db);
  const edges = clockEdges();
  const sent: OutgoingMessage[] = [];
  let wakes = 0;
  const channel: Channel = {
    name: 'email',
    limits: { concurrency: 1 },
    send: async (message) => {
      sent.push(message);
      return answers[sent.length - 1] ?? ok;
    },
    close: async () => undefined,
  };
  const courier = makeCourier({ transactional }, { keyring, edges, wake: () => (wakes += 1) });
  const tools = { channels: new Map([['email' as const, channel]]), keyring, edges, log, leaseMs: 10_000 };
  const deliver = (token = 'w1', signal = noAbort) => deliverTransactional({ transactional }, tools, token, signal);
  return { courier, deliver, edges, sent, wakes: () => wakes, transactional };
};

describe('the courier', () => {
  it('keeps a message sealed until it has left, and wakes the workers', async () => {
    const { courier, deliver, edges, sent, wakes } = setUp([]);
    const content = makeContent({ kind: 'transactional' });
    await courier.post(to, content, { item: 'https://bellman.test/confirm/x' }, edges.now() + 60_000);
    expect(wakes()).toBe(1);
    const row = JSON.stringify(db.prepare('SELECT * FROM transactional').all());
    expect(row).not.toMatch(/ada|confirm|Water/);
    expect(await deliver()).toBe(1);
    expect(sent).toEqual([
      {
        id: expect.stringMatching(/^[\w-]{22}$/),
        to,
        content,
        slots: { item: 'https://bellman.test/confirm/x', unsubscribe: '', manage: '', reason: '', token: '' },
      },
    ]);
    expect(await deliver()).toBe(0);
  });

  it('tries again under the same id, later each time', async () => {
    const { courier, deliver, edges, sent } = setUp([busy, busy, ok]);
    await courier.post(to, makeContent(), {}, edges.now() + 60_000);
    await deliver();
    expect(await deliver()).toBe(0);
    edges.advance(2_000);
    expect(await deliver()).toBe(1);
    edges.advance(3_999);
    expect(await deliver()).toBe(0);
    edges.advance(1);
    expect(await deliver()).toBe(1);
    expect(new Set(sent.map((message) => message.id)).size).toBe(1);
    edges.advance(10_000_000);
    expect(await deliver()).toBe(0);
  });

  it('gives up what is refused for good, and what has run out of time', async () => {
    const refused = failure('p', { kind: 'permanent', reason: 'no-such-address' }, '550');
    const { courier, deliver, edges, sent } = setUp([refused]);
    await courier.post(to, makeContent(), {}, edges.now() + 60_000);
    expect(await deliver()).toBe(1);
    await courier.post(to, makeContent(), {}, edges.now() + 60_000);
    edges.advance(60_000);
    expect(await deliver()).toBe(1);
    expect(sent).toHaveLength(1);
    edges.advance(10_000_000);
    expect(await deliver()).toBe(0);
  });

  it('a worker that died leaves its messages to the next, once its lease is over', async () => {
    const { courier, deliver, edges, sent, transactional } = setUp([]);
    await courier.post(to, makeContent(), {}, edges.now() + 60_000);
    await transactional.claim('dead', edges.now(), 10_000, 10);
    expect(await deliver('w2')).toBe(0);
    edges.advance(10_000);
    expect(await deliver('w2')).toBe(1);
    expect(sent).toHaveLength(1);
  });

  it('begins nothing after it was told to stop', async () => {
    const { courier, deliver, edges, sent } = setUp([]);
    await courier.post(to, makeContent(), {}, edges.now() + 60_000);
    const stop = new AbortController();
    stop.abort();
    await deliver('w1', stop.signal);
    expect(sent).toHaveLength(0);
    edges.advance(10_000);
    expect(await deliver('w2')).toBe(1);
  });

  it('a seal that does not open is tried until it expires, and stops nobody else', async () => {
    const { courier, deliver, edges, sent, transactional } = setUp([]);
    const message = {
      id: 'x',
      channel: 'email' as const,
      attempts: 0,
      dueAt: edges.now(),
      expiresAt: edges.now() + 5_000,
    };
    await transactional.enqueue({ ...message, sealed: 'v1.other.AAAA' });
    await courier.post(to, makeContent(), {}, edges.now() + 60_000);
    expect(await deliver()).toBe(2);
    expect(sent).toHaveLength(1);
    edges.advance(5_000);
    expect(await deliver()).toBe(1);
    edges.advance(100_000);
    expect(await deliver()).toBe(0);
  });
});

describe('the next attempt', () => {
  const message = { attempts: 0, expiresAt: 1_000_000 };
  it('heeds what the provider asked for', () => {
    const throttled = failure('p', { kind: 'throttled', reason: 'throttled', retryAfterMs: 45_000 }, '');
    expect(nextAttempt(message, throttled, 0, 0.5)).toEqual({ dueAt: 45_000, attempts: 1 });
  });
  it('spreads, and never waits longer than five minutes and a half more', () => {
    expect(nextAttempt(message, busy, 0, 0)?.dueAt).toBe(1_000);
    expect(nextAttempt(message, busy, 0, 0.999)?.dueAt).toBe(2_998);
    expect(nextAttempt({ ...message, attempts: 30 }, busy, 0, 0.5)?.dueAt).toBe(300_000);
  });
  it('is none past the end', () => {
    expect(nextAttempt({ attempts: 0, expiresAt: 2_000 }, busy, 0, 0.5)).toBeNull();
    expect(nextAttempt(message, ok, 0, 0.5)).toBeNull();
  });
});
