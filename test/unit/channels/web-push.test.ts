import crypto from 'node:crypto';
import { once } from 'node:events';
import { MessageChannel } from 'node:worker_threads';
import webPush from 'web-push';
import type { Channel, OutgoingMessage } from '../../../src/channels/channel.ts';
import { slot } from '../../../src/channels/channel.ts';
import { answerJobs, makeEncrypter } from '../../../src/channels/web-push/encrypter.ts';
import { mostPlaintext, payloadOf } from '../../../src/channels/web-push/payload.ts';
import { classifyPush } from '../../../src/channels/web-push/push-answer.ts';
import { makeWebPushChannel } from '../../../src/channels/web-push/web-push-channel.ts';
import { isCallable, isPublicAddress, publicLookup } from '../../../src/public-address.ts';
import { clockEdges, makeContent, makeMessage, makeSlots, noAbort } from '../../helpers/content.ts';
import { makeBrowser, type PushAnswers, type PushSink, startPushSink } from '../../helpers/push-sink.ts';

const vapidKeys = webPush.generateVAPIDKeys();
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const sinkWith = async (answer?: PushAnswers): Promise<PushSink> => {
  const sink = await startPushSink(answer ? { answer } : {});
  closers.push(sink.close);
  return sink;
};

const channelWith = (
  options: { edges?: ReturnType<typeof clockEdges>; limitMs?: number; isOpen?: boolean } = {},
): Channel => {
  const { edges = clockEdges(), limitMs = 5_000, isOpen = true } = options;
  const config = { subject: 'mailto:office@town.test', vapid: vapidKeys, allowPrivateEndpoints: isOpen, outbox: false };
  const reportUrl = (id: string) => `https://bellman.test/r/${id}`;
  const channel = makeWebPushChannel(config, { vapidKeys, edges, limitMs, reportUrl });
  closers.push(channel.close);
  return channel;
};

const pushTo = (sink: PushSink, overrides: Partial<OutgoingMessage> = {}, path = '/push/1') => {
  const browser = makeBrowser();
  return { browser, message: makeMessage({ to: browser.subscription(sink.origin, path), ...overrides }) };
};

/** Verifies the JWT of a VAPID header (RFC 8292) with node's own ES256; answers its claims. */
const vapidClaims = (header: string | undefined): Record<string, unknown> => {
  const [, token = '', key] = /^vapid t=([^,]+), k=(.+)$/.exec(header ?? '') ?? [];
  const [head, body, signature = ''] = token.split('.');
  const point = Buffer.from(key ?? '', 'base64url');
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((part) => part.toString('base64url')) as [
    string,
    string,
  ];
  const publicKey = crypto.createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' });
  const signed = Buffer.from(signature, 'base64url');
  const ok = crypto.verify(
    'sha256',
    Buffer.from(`${head}.${body}`),
    { key: publicKey, dsaEncoding: 'ieee-p1363' },
    signed,
  );
  if (!ok) throw new Error('the signature does not hold');
  return JSON.parse(Buffer.from(body ?? '', 'base64url').toString());
};

describe('a push', () => {
  it('arrives encrypted for its browser, which reads title, body, link, tag and language', async () => {
    const sink = await sinkWith();
    const content = makeContent({
      locale: 'zh-CN',
      title: '停水通知',
      short: `周一停水。${slot('reason')}`,
      data: { confirm: 't1' },
    });
    const { browser, message } = pushTo(sink, { id: 'm7', content });
    expect(await channelWith().send(message, noAbort)).toMatchObject({ ok: true, reference: null });
    const [push] = sink.pushes;
    expect(push?.path).toBe('/push/1');
    expect(push?.headers).toMatchObject({ 'content-encoding': 'aes128gcm', ttl: '2419200', urgency: 'low' });
    expect(browser.read(push?.body ?? Buffer.alloc(0))).toEqual({
      title: '停水通知',
      body: '周一停水。You follow “Housing”.',
      url: makeSlots().item,
      tag: 'm7',
      lang: 'zh-CN',
      unsubscribe: makeSlots().unsubscribe,
      manage: makeSlots().manage,
      report: 'https://bellman.test/r/m7',
      data: { confirm: 't1' },
    });
  });

  it('is signed for its push service by VAPID, once for many messages, anew before it expires', async () => {
    const sink = await sinkWith();
    const edges = clockEdges();
    const channel = channelWith({ edges });
    const send = () => channel.send(pushTo(sink).message, noAbort);
    await send();
    await send();
    edges.advance(11 * 3600 * 1000);
    await send();
    const headers = sink.pushes.map((push) => push.headers.authorization);
    expect(headers[1]).toBe(headers[0]);
    expect(headers[2]).not.toBe(headers[0]);
    const claims = vapidClaims(headers[0]);
    expect(claims).toMatchObject({ aud: sink.origin, sub: 'mailto:office@town.test' });
    expect(Number(claims.exp) * 1000 - Date.now()).toBeLessThan(24 * 3600 * 1000);
  });

  it('uses a fresh key and salt each time', async () => {
    const sink = await sinkWith();
    const channel = channelWith();
    const { message } = pushTo(sink);
    await channel.send(message, noAbort);
    await channel.send(message, noAbort);
    const heads = sink.pushes.map((push) => push.body.subarray(0, 86).toString('hex'));
    expect(heads[0]?.slice(0, 32)).not.toBe(heads[1]?.slice(0, 32));
    expect(heads[0]?.slice(42)).not.toBe(heads[1]?.slice(42));
  });

  it.each([
    ['emergency', 'notification', 'high'],
    ['important', 'notification', 'normal'],
    ['routine', 'notification', 'low'],
    ['routine', 'transactional', 'high'],
  ] as const)('%s %s has urgency %s', async (urgency, kind, expected) => {
    const sink = await sinkWith();
    await channelWith().send(pushTo(sink, { content: makeContent({ urgency, kind }) }).message, noAbort);
    expect(sink.pushes[0]?.headers.urgency).toBe(expected);
  });

  it('lives until the notice expires', async () => {
    const sink = await sinkWith();
    const edges = clockEdges();
    const content = makeContent({ expiresAt: edges.now() + 90_500 });
    await channelWith({ edges }).send(pushTo(sink, { content }).message, noAbort);
    expect(sink.pushes[0]?.headers.ttl).toBe('90');
  });

  it('keeps its connection', async () => {
    const sink = await sinkWith();
    const channel = channelWith();
    const started = Date.now();
    for (let n = 0; n < 50; n += 1) await channel.send(pushTo(sink).message, noAbort);
    expect(sink.connections()).toBe(1);
    expect(Date.now() - started).toBeLessThan(5_000);
  });
});

describe('the vector of RFC 8291 section 5', () => {
  const text = 'When I grow up, I want to be a watermelon';
  const asPrivate = 'yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw';
  const salt = 'DGv6ra1nlYgDCS1FRnbzlw';
  const keys = {
    p256dh: 'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4',
    auth: 'BTBZMqHH6r4Tts7J_aSIgg',
  };
  const body =
    'DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN';

  it('holds for the work of the encrypting thread', async () => {
    const { createECDH, randomBytes } = crypto;
    const fixed = createECDH('prime256v1');
    fixed.setPrivateKey(asPrivate, 'base64url');
    fixed.generateKeys = (() => fixed.getPublicKey()) as typeof fixed.generateKeys;
    const { port1, port2 } = new MessageChannel();
    closers.push(async () => port1.close());
    answerJobs(webPush.encrypt, port1);
    crypto.createECDH = () => fixed;
    crypto.randomBytes = ((size: number) =>
      size === 16 ? Buffer.from(salt, 'base64url') : randomBytes(size)) as typeof randomBytes;
    try {
      port2.postMessage({ id: 1, keys, payload: text });
      const [answer] = await once(port2, 'message');
      expect({ ...answer, body: Buffer.from(answer.body).toString('base64url') }).toEqual({ id: 1, body });
    } finally {
      crypto.createECDH = createECDH;
      crypto.randomBytes = randomBytes;
    }
  });
});

describe('the encrypting thread', () => {
  it('keeps payloads and people apart', async () => {
    const encrypter = makeEncrypter();
    closers.push(encrypter.close);
    const browsers = Array.from({ length: 20 }, makeBrowser);
    const bodies = await Promise.all(
      browsers.map((browser, n) => encrypter.encrypt(browser.subscription('https://x.test').keys, `{"n":${n}}`)),
    );
    const read = bodies.map((body, n) => browsers[n]?.read(Buffer.from(body as Uint8Array)));
    expect(read).toEqual(browsers.map((_, n) => ({ n })));
  });

  it('leaves nobody waiting when it ends, and starts anew', async () => {
    const encrypter = makeEncrypter();
    closers.push(encrypter.close);
    const { keys } = makeBrowser().subscription('https://x.test');
    const waiting = encrypter.encrypt(keys, '{}');
    await encrypter.close();
    expect(await waiting).toMatchObject({ kind: 'transient', reason: 'aborted' });
    expect(await encrypter.encrypt(keys, '{}')).toBeInstanceOf(Uint8Array);
  });
});

describe('the answer of a push service', () => {
  it.each([
    [404, {}, { kind: 'permanent', reason: 'endpoint-gone', addressGone: true }],
    [410, {}, { kind: 'permanent', reason: 'endpoint-gone', addressGone: true }],
    [413, {}, { kind: 'permanent', reason: 'too-large' }],
    [400, {}, { kind: 'permanent', reason: 'refused' }],
    [403, {}, { kind: 'permanent', reason: 'not-authorised' }],
    [301, { location: 'https://elsewhere.test' }, { kind: 'permanent', reason: 'refused' }],
    [429, { 'retry-after': '17' }, { kind: 'throttled', retryAfterMs: 17_000 }],
    [500, {}, { kind: 'transient', reason: 'provider-error' }],
    [503, { 'retry-after': '5' }, { kind: 'transient', retryAfterMs: 5_000 }],
  ])('%i is sorted', async (status, headers, expected) => {
    const sink = await sinkWith(() => ({ status, headers: headers as Record<string, string> }));
    expect(await channelWith().send(pushTo(sink).message, noAbort)).toMatchObject({ ok: false, ...expected });
    expect(sink.count()).toBe(1);
  });

  it('429 with a date says until when', () => {
    const now = Date.parse('2026-03-02T08:00:00Z');
    expect(classifyPush(429, 'Mon, 02 Mar 2026 08:00:45 GMT', now)).toMatchObject({ retryAfterMs: 45_000 });
    expect(classifyPush(429, 'soon', now)).toMatchObject({ retryAfterMs: 30_000 });
  });

  it('429 quiets that push service and no other', async () => {
    const busy = await sinkWith(() => ({ status: 429, headers: { 'retry-after': '20' } }));
    const other = await sinkWith();
    const edges = clockEdges();
    const channel = channelWith({ edges });
    await channel.send(pushTo(busy).message, noAbort);
    expect(await channel.send(pushTo(busy).message, noAbort)).toMatchObject({
      kind: 'throttled',
      retryAfterMs: 20_000,
    });
    expect(busy.count()).toBe(1);
    expect(await channel.send(pushTo(other).message, noAbort)).toMatchObject({ ok: true });
    edges.advance(20_000);
    await channel.send(pushTo(busy).message, noAbort);
    expect(busy.count()).toBe(2);
  });

  it('none at all is transient after the time limit', async () => {
    const sink = await sinkWith(() => 'silence');
    const result = await channelWith({ limitMs: 200 }).send(pushTo(sink).message, noAbort);
    expect(result).toMatchObject({ ok: false, kind: 'transient', reason: 'timeout' });
  });

  it('an abort of ours answers at once', async () => {
    const sink = await sinkWith(() => 'silence');
    const stop = new AbortController();
    const sending = channelWith().send(pushTo(sink).message, stop.signal);
    setImmediate(() => stop.abort());
    expect(await sending).toMatchObject({ ok: false, kind: 'transient', reason: 'aborted' });
  });

  it('a dead service opens its breaker', async () => {
    const dead = await startPushSink();
    await dead.close();
    const channel = channelWith();
    for (let n = 0; n < 5; n += 1)
      expect(await channel.send(pushTo(dead).message, noAbort)).toMatchObject({ reason: 'connection' });
    expect(await channel.send(pushTo(dead).message, noAbort)).toMatchObject({
      kind: 'throttled',
      reason: 'breaker-open',
    });
  });
});

describe('endpoints', () => {
  const browser = makeBrowser();
  it.each([
    'https://127.0.0.1/push',
    'https://localhost/push',
    'https://[::1]/push',
    'https://10.1.2.3/push',
    'https://169.254.169.254/latest/meta-data',
    'https://192.168.0.1:8443/',
    'https://[fe80::1]/',
    'https://[fd00::1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://2130706433/',
    'https://0x7f.1/',
    'https://user:pass@push.example.org/',
    'http://push.example.org/',
    'ftp://push.example.org/',
    'not a url',
  ])('%s is not called', async (endpoint) => {
    const to = { ...browser.subscription('https://x.test'), endpoint };
    const result = await channelWith({ isOpen: false }).send(makeMessage({ to }), noAbort);
    expect(result).toMatchObject({ ok: false, kind: 'permanent', reason: 'endpoint-forbidden' });
  });

  it('a name that leads to a private address is refused at the lookup', async () => {
    const looked = await new Promise<string>((resolve) =>
      publicLookup('localhost', { all: true }, (error) => resolve(error?.code ?? 'found')),
    );
    expect(looked).toBe('EPRIVATE');
  });

  it.each([
    ['8.8.8.8', true],
    ['100.64.0.1', false],
    ['172.31.255.255', false],
    ['172.32.0.1', true],
    ['2606:4700::1111', true],
    ['2002:7f00:1::', false],
    ['::ffff:8.8.8.8', false],
    ['64:ff9b::7f00:1', false],
    ['ff02::1', false],
    ['nonsense', false],
  ])('%s is public: %s', (address, expected) => {
    expect(isPublicAddress(address)).toBe(expected);
  });

  it('a public one may be', () => {
    expect(isCallable(new URL('https://fcm.googleapis.com/fcm/send/abc'))).toBe(true);
  });

  it('keys that are none end the address', async () => {
    const to = { ...browser.subscription('https://push.example.org'), keys: { p256dh: 'AAAA', auth: 'AAAA' } };
    const result = await channelWith().send(makeMessage({ to }), noAbort);
    expect(result).toMatchObject({ ok: false, kind: 'permanent', addressGone: true });
  });
});

describe('a payload', () => {
  it('names its buttons, and where to report', () => {
    const actions = [{ action: 'useful', title: '有用' }];
    const payload = payloadOf(makeMessage({ content: makeContent({ actions }) }), 'https://bellman.test/r/x');
    expect(JSON.parse(payload ?? '')).toMatchObject({ actions, report: 'https://bellman.test/r/x' });
    expect(JSON.parse(payloadOf(makeMessage(), null) ?? '')).not.toHaveProperty('actions');
  });
});

describe('a payload too large', () => {
  it('loses the end of its body at a character, and fits', () => {
    const family = '👨‍👩‍👧‍👦';
    const message = makeMessage({ content: makeContent({ short: family.repeat(400) }) });
    const payload = payloadOf(message, null) ?? '';
    expect(Buffer.byteLength(payload)).toBeLessThanOrEqual(mostPlaintext);
    expect(Buffer.byteLength(payload)).toBeGreaterThan(mostPlaintext - 60);
    expect(JSON.parse(payload).body).toMatch(new RegExp(`^(${family})+…$`));
  });

  it('then the end of its title', () => {
    const payload = payloadOf(makeMessage({ content: makeContent({ title: '题'.repeat(3000) }) }), null) ?? '';
    expect(Buffer.byteLength(payload)).toBeLessThanOrEqual(mostPlaintext);
    expect(JSON.parse(payload)).toMatchObject({ body: '', title: expect.stringMatching(/^题+…$/) });
  });

  it('is refused where links alone are too long', () => {
    expect(payloadOf(makeMessage({ slots: makeSlots({ item: 'x'.repeat(5000) }) }), null)).toBeNull();
  });
});

describe('keys that cannot sign', () => {
  it('stop the start', () => {
    const config = { subject: 'mailto:a@b.test', vapid: undefined, allowPrivateEndpoints: false, outbox: false };
    const bad = { ...vapidKeys, privateKey: 'short' };
    expect(() => makeWebPushChannel(config, { vapidKeys: bad, edges: clockEdges() })).toThrow(/VAPID_PRIVATE_KEY/);
  });
});
