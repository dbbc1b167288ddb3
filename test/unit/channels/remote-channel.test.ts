import { MessageChannel } from 'node:worker_threads';
import type { Channel, OutgoingMessage, SendResult } from '../../../src/channels/channel.ts';
import { makeEmailChannel } from '../../../src/channels/email/email-channel.ts';
import { makeRemoteChannel, type Thread } from '../../../src/channels/thread/remote-channel.ts';
import { serveChannel } from '../../../src/channels/thread/serve-channel.ts';
import { clockEdges, makeContent, makeMessage, noAbort } from '../../helpers/content.ts';
import { type SmtpSink, type SmtpSinkOptions, startSmtpSink } from '../../helpers/smtp-sink.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** The thread's two ends within one process: the same messages cross, cloned as they are between threads. */
const served = (channel: Channel): Thread => {
  const { port1, port2 } = new MessageChannel();
  serveChannel(channel, port2);
  return {
    postMessage: (message) => port1.postMessage(message),
    onAnswers: (listener) => void port1.on('message', listener),
    onEnd: (listener) => void port1.once('close', listener),
    terminate: () => port1.close(),
  };
};

const emailTo = (sink: SmtpSink): Channel =>
  makeEmailChannel(
    { urls: [`smtp://127.0.0.1:${sink.port}?pool=2`], from: 'office@town.test', bounces: undefined, dkim: undefined },
    { edges: clockEdges() },
  );

const remoteTo = async (
  options: SmtpSinkOptions = {},
): Promise<{ sink: SmtpSink; remote: Channel; threads: Thread[] }> => {
  const sink = await startSmtpSink(options);
  const threads: Thread[] = [];
  const start = (): Thread => {
    threads.push(served(emailTo(sink)));
    return threads.at(-1) as Thread;
  };
  const remote = makeRemoteChannel({ name: 'email', limits: { concurrency: 40 }, start });
  closers.push(sink.close, remote.close);
  return { sink, remote, threads };
};

describe('a channel on a thread of its own', () => {
  it('sends each message with its content, which crosses once', async () => {
    const { sink, remote } = await remoteTo();
    const contents = Array.from({ length: 130 }, (_, n) => makeContent({ title: `Notice ${n}` }));
    const messages = [...contents, ...contents].map((content) => makeMessage({ content }));
    const results: SendResult[] = [];
    for (let at = 0; at < messages.length; at += 65)
      results.push(...(await Promise.all(messages.slice(at, at + 65).map((message) => remote.send(message, noAbort)))));
    expect(results.every((result) => result.ok)).toBe(true);
    const titles = sink.mails.map(({ raw }) => /^Subject: (.*)\r$/m.exec(raw.toString())?.[1]).sort();
    expect(titles).toEqual(messages.map(({ content }) => content.title).sort());
  });

  it('hands a refusal back as the value it is', async () => {
    const { remote } = await remoteTo();
    const bad = makeMessage({ to: { channel: 'email', email: 'no address' } });
    expect(await remote.send(bad, noAbort)).toMatchObject({ ok: false, kind: 'permanent', reason: 'bad-address' });
  });

  it('stops what hangs when told to, and nothing else', async () => {
    let silent = true;
    const { remote } = await remoteTo({ silentAfterData: () => silent });
    const stop = new AbortController();
    const sending = remote.send(makeMessage(), stop.signal);
    stop.abort();
    expect(await sending).toMatchObject({ ok: false, kind: 'transient', reason: 'aborted' });
    expect(await remote.send(makeMessage(), stop.signal)).toMatchObject({ ok: false, reason: 'aborted' });
    silent = false;
    expect(await remote.send(makeMessage(), noAbort)).toMatchObject({ ok: true });
  });

  it('answers what was with a thread that died, and starts another with the next message', async () => {
    let silent = true;
    const { remote, threads } = await remoteTo({ silentAfterData: () => silent });
    const message: OutgoingMessage = makeMessage();
    const sending = remote.send(message, noAbort);
    threads[0]?.terminate();
    expect(await sending).toMatchObject({ ok: false, kind: 'transient', reason: 'aborted' });
    silent = false;
    expect(await remote.send(message, noAbort)).toMatchObject({ ok: true });
    expect(threads).toHaveLength(2);
  });
});
