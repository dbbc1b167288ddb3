import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import fc from 'fast-check';
import { SegmentedMessage } from 'sms-segments-calculator';
import type { Channel } from '../../../src/channels/channel.ts';
import { splitSms } from '../../../src/channels/sms/segments.ts';
import { makeSmppProvider } from '../../../src/channels/sms/smpp-channel.ts';
import { makeTwilioProvider } from '../../../src/channels/sms/twilio-channel.ts';
import { clockEdges, makeContent, makeMessage, makeSlots, noAbort } from '../../helpers/content.ts';
import { type SmppSink, type SmppSinkOptions, startSmppSink } from '../../helpers/smpp-sink.ts';

const makeSmppChannel = (...asked: Parameters<typeof makeSmppProvider>): Channel => makeSmppProvider(...asked).channel;
const makeTwilioChannel = (...asked: Parameters<typeof makeTwilioProvider>): Channel =>
  makeTwilioProvider(...asked).channel;

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const toPhone = (sms: string, phone = '+8613800138000') =>
  makeMessage({ to: { channel: 'sms', phone }, content: makeContent({ sms }) });

describe('splitting', () => {
  it.each([
    ['GSM 03.38', ''],
    ['Chinese', '水电停供通知：请于五月三日前办理。（）！？'],
    ['anything', '水😀é\u0301👨‍👩‍👧नि한'],
  ])('is what the library makes of any text of %s, in the same parts', (_what, more) => {
    const alphabet = [...more, ...'aZ09 @£$¥èéùìòÇØøÅå_ΔΦΓΛΩΠΨΣΘΞÆæßÉ!"#¤%&()*+,-./:;<=>?¡ÄÖÑÜ§¿äöñüà\n^{}[]~|€\\'];
    const texts = fc.string({ unit: fc.constantFrom(...alphabet), minLength: 1, maxLength: 700 });
    fc.assert(
      fc.property(texts, (text) => {
        const library = new SegmentedMessage(text);
        const parts = library.segments.map((segment) =>
          segment.flatMap((char) => ('raw' in char ? (char as { codeUnits: number[] }).codeUnits : [])),
        );
        const isGsm = library.encodingName === 'GSM-7';
        const bytes = (codes: number[]) =>
          Buffer.from(isGsm ? codes : codes.flatMap((code) => [code >> 8, code & 0xff]));
        expect(splitSms(text)).toEqual({ coding: isGsm ? 0 : 8, bodies: parts.map(bytes) });
      }),
      { numRuns: 60 },
    );
  });

  it.each([
    ['a'.repeat(160), 0, 1],
    ['a'.repeat(161), 0, 2],
    ['a'.repeat(306), 0, 2],
    ['a'.repeat(307), 0, 3],
    ['€'.repeat(80), 0, 1],
    ['€'.repeat(81), 0, 2],
    ['水'.repeat(70), 8, 1],
    ['水'.repeat(71), 8, 2],
    ['水'.repeat(134), 8, 2],
    ['水'.repeat(135), 8, 3],
    [`${'a'.repeat(70)}水`, 8, 2],
    ['line\r\nline', 0, 1],
    ['', 0, 1],
  ])('%#: coding and parts', (text, coding, parts) => {
    const split = splitSms(text);
    expect(split.coding).toBe(coding);
    expect(split.bodies).toHaveLength(parts);
    const most = parts === 1 ? (coding === 0 ? 160 : 140) : coding === 0 ? 153 : 134;
    for (const body of split.bodies) expect(body.length).toBeLessThanOrEqual(most);
  });

  it('cuts neither an escape sequence nor a pair of surrogates', () => {
    const gsm = splitSms('€'.repeat(200)).bodies;
    for (const body of gsm) expect(body.at(-1)).not.toBe(0x1b);
    const ucs = splitSms(`a${'😀'.repeat(60)}`).bodies;
    for (const body of ucs) expect((body.readUInt16BE(body.length - 2) & 0xfc00) === 0xd800).toBe(false);
  });
});

describe('SMPP', () => {
  const sinkWith = async (options: SmppSinkOptions = {}): Promise<SmppSink> => {
    const sink = await startSmppSink(options);
    closers.push(sink.close);
    return sink;
  };
  const channelTo = (
    sink: { port: number },
    options: { user?: string; limitMs?: number; edges?: ReturnType<typeof clockEdges> } = {},
  ): Channel => {
    const { user = 'bell:secret', limitMs = 5_000, edges = clockEdges() } = options;
    const channel = makeSmppChannel(`smpp://${user}@127.0.0.1:${sink.port}?from=10690123`, { edges, limitMs });
    closers.push(channel.close);
    return channel;
  };

  it.each([
    ['a short text', 'Water off on Monday @ 9: £5 {a} [b] ~ €', 1, 0],
    ['a long text', `Long: ${'The quick brown fox jumps over the lazy dog. '.repeat(12)}`, 4, 0],
    ['Chinese', `【Bellman】${'关于住房公积金缴存基数调整的通知'.repeat(6)}`, 2, 8],
    ['emoji at the seams', `${'水'.repeat(66)}😀${'水'.repeat(66)}😀`, 3, 8],
  ])('%s arrives whole', async (_what, text, parts, coding) => {
    const sink = await sinkWith({ credentials: { user: 'bell', pass: 'secret' } });
    const result = await channelTo(sink).send(toPhone(text), noAbort);
    expect(result).toMatchObject({ ok: true, reference: 'id-1' });
    expect(sink.texts).toEqual([{ to: '8613800138000', from: '10690123', text, parts, coding }]);
  });

  it('puts the person’s link in', async () => {
    const sink = await sinkWith();
    await channelTo(sink).send(makeMessage({ to: { channel: 'sms', phone: '+4412345' } }), noAbort);
    expect(sink.texts[0]?.text).toBe(`Water off on Monday ${makeSlots().item}`);
  });

  it('keeps the parts of texts to one number apart', async () => {
    const sink = await sinkWith();
    const channel = channelTo(sink);
    const texts = Array.from({ length: 8 }, (_, n) => String(n).repeat(400));
    await Promise.all(texts.map((text) => channel.send(toPhone(text), noAbort)));
    expect(sink.texts.map((one) => one.text).sort()).toEqual(texts);
    expect(sink.binds()).toBe(1);
  });

  it.each([
    [0x58, 'throttled', 'throttled'],
    [0x14, 'throttled', 'throttled'],
    [0x0b, 'permanent', 'bad-address'],
    [0x01, 'permanent', 'too-large'],
    [0x08, 'transient', 'provider-error'],
    [0x0a, 'transient', 'sender-refused'],
    [0x0fff, 'transient', 'provider-error'],
  ])('status 0x%s is sorted', async (status, kind, reason) => {
    const sink = await sinkWith({ status: () => status });
    expect(await channelTo(sink).send(toPhone('hello'), noAbort)).toMatchObject({ ok: false, kind, reason });
  });

  it('counts as sent only when every part was accepted', async () => {
    const sink = await sinkWith({ status: (nth) => (nth === 2 ? 0x08 : 0) });
    const result = await channelTo(sink).send(toPhone('a'.repeat(400)), noAbort);
    expect(result).toMatchObject({ ok: false, kind: 'transient' });
    expect(sink.texts).toEqual([]);
    expect(sink.submits()).toBe(2);
  });

  it('offers a later part again when the centre is busy', async () => {
    const sink = await sinkWith({ status: (nth) => (nth === 2 ? 0x58 : 0) });
    expect(await channelTo(sink).send(toPhone('a'.repeat(200)), noAbort)).toMatchObject({ ok: true });
    expect(sink.texts).toHaveLength(1);
  });

  it('binds anew after the connection was lost', async () => {
    const sink = await sinkWith({ hangUpAt: (nth) => nth === 1 });
    const channel = channelTo(sink);
    expect(await channel.send(toPhone('one'), noAbort)).toMatchObject({
      ok: false,
      kind: 'transient',
      reason: 'connection',
    });
    expect(await channel.send(toPhone('two'), noAbort)).toMatchObject({ ok: true });
    expect(sink.binds()).toBe(2);
  });

  it('wrong credentials are the provider’s fault', async () => {
    const sink = await sinkWith({ credentials: { user: 'bell', pass: 'secret' } });
    const result = await channelTo(sink, { user: 'bell:wrong' }).send(toPhone('one'), noAbort);
    expect(result).toMatchObject({ ok: false, kind: 'transient', reason: 'auth' });
  });

  it('a dead centre is transient, then its breaker opens', async () => {
    const sink = await sinkWith({ status: () => 0 });
    await sink.close();
    closers.pop();
    const channel = channelTo(sink);
    for (let n = 0; n < 5; n += 1)
      expect(await channel.send(toPhone('one'), noAbort)).toMatchObject({ kind: 'transient', reason: 'connection' });
    expect(await channel.send(toPhone('one'), noAbort)).toMatchObject({ kind: 'throttled', reason: 'breaker-open' });
  });

  it('silence is given up after the time limit, and the next message binds anew', async () => {
    const sink = await sinkWith();
    const closed: Promise<unknown>[] = [];
    const front = createTcpServer((socket) => {
      socket.on('error', () => undefined);
      closed.push(once(socket, 'close'));
      if (closed.length === 1) socket.resume();
      else socket.pipe(connect(sink.port, '127.0.0.1')).pipe(socket);
    }).listen(0, '127.0.0.1');
    await once(front, 'listening');
    const channel = channelTo(front.address() as AddressInfo, { limitMs: 500 });
    expect(await channel.send(toPhone('one'), noAbort)).toMatchObject({ kind: 'transient', reason: 'timeout' });
    await closed[0];
    expect(await channel.send(toPhone('two'), noAbort)).toMatchObject({ ok: true });
    await channel.close();
    front.close();
  });

  it.each(['smpp://a:b@host:1', 'smpp://host:1?from=1', 'smpp://a:b@host:1?from=1&window=0'])(
    '%s is refused at the start',
    (url) => {
      expect(() => makeSmppChannel(url, { edges: clockEdges() })).toThrow(/SMS_URL/);
    },
  );
});

describe('an HTTP provider of Twilio’s form', () => {
  type Call = { path: string; headers: IncomingHttpHeaders; form: URLSearchParams };
  type Reply = { status: number; body: string; headers?: Record<string, string> } | 'silence';

  const provider = async (reply: Reply = { status: 201, body: '{"sid":"SM1","status":"queued"}' }, limitMs = 5_000) => {
    const calls: Call[] = [];
    const server = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      calls.push({
        path: `${request.method} ${request.url}`,
        headers: request.headers,
        form: new URLSearchParams(body),
      });
      if (reply !== 'silence') response.writeHead(reply.status, reply.headers).end(reply.body);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    closers.push(async () => {
      server.closeAllConnections();
      server.close();
    });
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const channel = makeTwilioChannel(`twilio+http://AC1:to%2Fken@${host}/v?from=%2B15550001`, {
      edges: clockEdges(),
      statusCallback: 'https://bellman.test/api/v1/hooks/sms',
      limitMs,
    });
    return { calls, channel };
  };

  it('gets what its form asks for', async () => {
    const { calls, channel } = await provider();
    const message = { ...toPhone('周一停水 & more'), id: 'message-1' };
    const result = await channel.send(message, noAbort);
    expect(result).toMatchObject({ ok: true, reference: 'SM1', response: '201 queued' });
    const [call] = calls;
    expect(call?.path).toBe('POST /v/2010-04-01/Accounts/AC1/Messages.json');
    expect(call?.headers.authorization).toBe(`Basic ${Buffer.from('AC1:to/ken').toString('base64')}`);
    expect(call?.headers['content-type']).toMatch(/^application\/x-www-form-urlencoded/);
    expect(Object.fromEntries(call?.form ?? [])).toEqual({
      To: '+8613800138000',
      From: '+15550001',
      Body: '周一停水 & more',
      StatusCallback: 'https://bellman.test/api/v1/hooks/sms?message=message-1',
    });
  });

  it.each([
    [
      { status: 400, body: '{"code":21211,"message":"invalid To"}' },
      { kind: 'permanent', reason: 'bad-address', addressGone: true },
    ],
    [
      { status: 400, body: '{"code":21610,"message":"unsubscribed"}' },
      { kind: 'permanent', reason: 'opted-out-at-provider' },
    ],
    [{ status: 400, body: '{"code":21611,"message":"queue full"}' }, { kind: 'throttled' }],
    [
      { status: 429, body: '{"code":20429}', headers: { 'retry-after': '3' } },
      { kind: 'throttled', retryAfterMs: 3_000 },
    ],
    [
      { status: 429, body: 'slow down' },
      { kind: 'throttled', retryAfterMs: 1_000 },
    ],
    [
      { status: 401, body: '{"code":20003,"message":"Authenticate"}' },
      { kind: 'transient', reason: 'auth' },
    ],
    [
      { status: 500, body: 'oops' },
      { kind: 'transient', reason: 'provider-error' },
    ],
    [
      { status: 503, body: '', headers: { 'retry-after': '9' } },
      { kind: 'transient', retryAfterMs: 9_000 },
    ],
    [
      { status: 201, body: '<html>hello</html>' },
      { kind: 'transient', reason: 'bad-answer' },
    ],
    [
      { status: 400, body: 'garbage' },
      { kind: 'transient', reason: 'bad-answer' },
    ],
    [{ status: 302, body: '', headers: { location: 'http://127.0.0.1:1/' } }, { kind: 'transient' }],
  ])('%j is sorted', async (reply, expected) => {
    const { channel } = await provider(reply as Reply);
    expect(await channel.send(toPhone('hello'), noAbort)).toMatchObject({ ok: false, ...expected });
  });

  it('that says nothing is transient after the time limit', async () => {
    const { channel } = await provider('silence', 300);
    expect(await channel.send(toPhone('hello'), noAbort)).toMatchObject({ kind: 'transient', reason: 'timeout' });
  });
});
