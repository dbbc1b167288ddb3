import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';
import type { Channel } from '../../../src/channels/channel.ts';
import { makeEmailChannel } from '../../../src/channels/email/email-channel.ts';
import { classifySmtp } from '../../../src/channels/email/smtp-reply.ts';
import { clockEdges, makeContent, makeMessage, noAbort } from '../../helpers/content.ts';
import { type SmtpSink, type SmtpSinkOptions, smtpError, startSmtpSink } from '../../helpers/smtp-sink.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const sinkWith = async (options: SmtpSinkOptions = {}): Promise<SmtpSink> => {
  const sink = await startSmtpSink(options);
  closers.push(sink.close);
  return sink;
};

const channelTo = (urls: string[], limitMs = 5_000, edges = clockEdges()): Channel => {
  const config = { urls, from: 'office@town.test', bounces: undefined, dkim: undefined };
  const channel = makeEmailChannel(config, { edges, limitMs });
  closers.push(channel.close);
  return channel;
};
const urlOf = (sink: { port: number }, query = ''): string => `smtp://127.0.0.1:${sink.port}${query}`;

describe('a server that refuses', () => {
  it.each([
    [550, '5.1.1 no such user', 'permanent', 'no-such-address'],
    [552, '5.2.2 mailbox full', 'permanent', 'mailbox-full'],
    [554, '5.7.1 blocked', 'permanent', 'refused-by-policy'],
    [450, '4.2.0 try later', 'transient', 'deferred'],
    [451, '4.7.1 greylisted', 'transient', 'greylisted'],
    [452, '4.3.1 insufficient system storage', 'throttled', 'throttled'],
  ])('a recipient with %i %s is %s: %s', async (code, words, kind, reason) => {
    const sink = await sinkWith({
      onRcpt: (address) => {
        if (address.startsWith('bad')) throw smtpError(code, words);
      },
    });
    const channel = channelTo([urlOf(sink, '?pool=1')]);
    const bad = await channel.send(makeMessage({ to: { channel: 'email', email: 'bad@example.org' } }), noAbort);
    expect(bad).toMatchObject({ ok: false, kind, reason, detail: `${code} ${words}` });
    if (kind === 'throttled') return;
    expect(await channel.send(makeMessage(), noAbort)).toMatchObject({ ok: true });
    expect(sink.connections()).toBe(1);
  });

  it('the message, after its data, is answered alike', async () => {
    const sink = await sinkWith({
      onMail: () => {
        throw smtpError(554, '5.6.0 we do not like it');
      },
    });
    const result = await channelTo([urlOf(sink)]).send(makeMessage(), noAbort);
    expect(result).toMatchObject({ ok: false, kind: 'permanent', reason: 'content-refused' });
  });

  it('us: wrong credentials are nobody’s address’s fault', async () => {
    const sink = await sinkWith({ credentials: { user: 'bell', pass: 'right' } });
    const wrong = await channelTo([`smtp://bell:wrong@127.0.0.1:${sink.port}`]).send(makeMessage(), noAbort);
    expect(wrong).toMatchObject({ ok: false, kind: 'transient', reason: 'auth' });
    const right = await channelTo([`smtp://bell:right@127.0.0.1:${sink.port}`]).send(makeMessage(), noAbort);
    expect(right).toMatchObject({ ok: true });
  });
});

describe('a server that fails', () => {
  it('by hanging up in the middle of DATA is tried again on a new connection', async () => {
    let hangUps = 1;
    const sink = await sinkWith({ hangUpInData: () => hangUps-- > 0 });
    const channel = channelTo([urlOf(sink)]);
    const message = makeMessage();
    expect(await channel.send(message, noAbort)).toMatchObject({ ok: false, kind: 'transient', reason: 'connection' });
    expect(await channel.send(message, noAbort)).toMatchObject({ ok: true });
    expect(sink.connections()).toBe(2);
  });

  it('by silence is given up after the time limit', async () => {
    const sink = await sinkWith({ silentAfterData: () => true });
    const result = await channelTo([urlOf(sink)], 300).send(makeMessage(), noAbort);
    expect(result).toMatchObject({ ok: false, kind: 'transient', reason: 'timeout' });
  });

  it('by never greeting is given up after the time limit', async () => {
    const sockets: Socket[] = [];
    const mute = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1');
    await once(mute, 'listening');
    const channel = channelTo([urlOf(mute.address() as AddressInfo)], 300);
    expect(await channel.send(makeMessage(), noAbort)).toMatchObject({ kind: 'transient', reason: 'timeout' });
    for (const socket of sockets) socket.destroy();
    mute.close();
  });

  it('by speaking garbage is transient', async () => {
    const chatty = createServer((socket) => socket.on('error', () => undefined).write('hello, who is there?\r\n'));
    chatty.listen(0, '127.0.0.1');
    await once(chatty, 'listening');
    const channel = channelTo([urlOf(chatty.address() as AddressInfo)], 500);
    expect(await channel.send(makeMessage(), noAbort)).toMatchObject({ ok: false, kind: 'transient' });
    await channel.close();
    chatty.close();
  });

  it('by an abort of ours answers at once', async () => {
    const sink = await sinkWith({ silentAfterData: () => true });
    const stop = new AbortController();
    const sending = channelTo([urlOf(sink)], 60_000).send(makeMessage(), stop.signal);
    stop.abort();
    expect(await sending).toMatchObject({ ok: false, kind: 'transient', reason: 'aborted' });
  });
});

describe('several servers', () => {
  it('the next one takes what the first cannot', async () => {
    const dead = await startSmtpSink();
    await dead.close();
    const sink = await sinkWith();
    const channel = channelTo([urlOf(dead), urlOf(sink)]);
    const result = await channel.send(makeMessage(), noAbort);
    expect(result).toMatchObject({ ok: true, provider: `smtp:127.0.0.1:${sink.port}` });
  });

  it('a refusal of the address is final, and the next is not asked', async () => {
    const refusing = await sinkWith({
      onRcpt: () => {
        throw smtpError(550, '5.1.1 no');
      },
    });
    const second = await sinkWith();
    const result = await channelTo([urlOf(refusing), urlOf(second)]).send(makeMessage(), noAbort);
    expect(result).toMatchObject({ ok: false, kind: 'permanent' });
    expect(second.count()).toBe(0);
  });

  it('a dead one is left alone by its breaker, then probed', async () => {
    const dead = await startSmtpSink();
    const { port } = dead;
    await dead.close();
    const edges = clockEdges();
    const channel = channelTo([urlOf(dead)], 5_000, edges);
    for (let n = 0; n < 5; n += 1)
      expect(await channel.send(makeMessage(), noAbort)).toMatchObject({ kind: 'transient', reason: 'connection' });
    const revived = await sinkWith({ port });
    const held = await channel.send(makeMessage(), noAbort);
    expect(held).toMatchObject({ ok: false, kind: 'throttled', reason: 'breaker-open', retryAfterMs: 2_000 });
    expect(revived.connections()).toBe(0);
    edges.advance(2_000);
    expect(await channel.send(makeMessage(), noAbort)).toMatchObject({ ok: true });
  });
});

describe('connections', () => {
  it('are held open, at most as many as the pool, and replaced after a number of messages', async () => {
    const sink = await sinkWith();
    const channel = channelTo([urlOf(sink, '?pool=3&messages=10')]);
    const content = makeContent();
    const results = await Promise.all(
      Array.from({ length: 60 }, () => channel.send(makeMessage({ content }), noAbort)),
    );
    expect(results.every((result) => result.ok)).toBe(true);
    expect(sink.count()).toBe(60);
    expect(sink.connections()).toBeGreaterThanOrEqual(6);
    expect(sink.connections()).toBeLessThanOrEqual(9);
  });

  it.each(['?pool=0', '?pool=many', '?tls=maybe', '?colour=red'])('a URL with %s is refused at the start', (query) => {
    expect(() => channelTo([`smtp://127.0.0.1:1${query}`])).toThrow(/EMAIL_URL/);
  });
});

describe('replies', () => {
  it.each([
    [{ responseCode: 421, response: '421 4.7.0 Too many connections', command: 'RCPT TO' }, 'throttled', 'throttled'],
    [{ responseCode: 421, response: '421 closing', command: 'CONN' }, 'throttled', 'throttled'],
    [{ responseCode: 450, response: '450 4.7.28 rate limited', command: 'RCPT TO' }, 'throttled', 'throttled'],
    [{ responseCode: 452, response: '452 4.2.2 over quota', command: 'RCPT TO' }, 'transient', 'mailbox-full'],
    [{ responseCode: 550, response: '550 who?', command: 'RCPT TO' }, 'permanent', 'no-such-address'],
    [{ responseCode: 550, response: '550 relay not permitted', command: 'RCPT TO' }, 'transient', 'sender-refused'],
    [
      { responseCode: 554, response: '554 5.7.1 <a@b.example>: Relay access denied', command: 'RCPT TO' },
      'transient',
      'sender-refused',
    ],
    [
      { responseCode: 530, response: '530 5.7.0 Authentication required', command: 'RCPT TO' },
      'transient',
      'sender-refused',
    ],
    [
      { responseCode: 550, response: '550 5.1.1 unknown user, relay says', command: 'RCPT TO' },
      'permanent',
      'no-such-address',
    ],
    [{ responseCode: 554, response: '554 5.7.1 spam', command: 'RCPT TO' }, 'permanent', 'refused-by-policy'],
    [
      { responseCode: 550, response: '550 5.7.1 sender not allowed', command: 'MAIL FROM' },
      'transient',
      'sender-refused',
    ],
    [{ responseCode: 554, response: '554 no service', command: 'CONN' }, 'transient', 'provider-error'],
    [{ responseCode: 552, response: '552 5.3.4 too big', command: 'MAIL FROM' }, 'permanent', 'too-large'],
    [{ responseCode: 550, response: '550 5.1.10 null MX', command: 'DATA' }, 'permanent', 'no-such-address'],
    [{ responseCode: 250, response: '250 what', command: 'DATA' }, 'transient', 'bad-answer'],
    [{ code: 'ETLS' }, 'transient', 'tls'],
    [{ code: 'EDNS' }, 'transient', 'connection'],
  ])('%j is %s: %s', (fault, kind, reason) => {
    expect(classifySmtp(fault)).toMatchObject({ kind, reason });
  });
});
