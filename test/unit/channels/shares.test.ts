import fc from 'fast-check';
import { makeEmailChannel } from '../../../src/channels/email/email-channel.ts';
import { readSmtpUrl } from '../../../src/channels/email/smtp-url.ts';
import { afterAnswer, drawOrder, noPace, type Pace, sharesOf } from '../../../src/channels/resilience/shares.ts';
import { readSmsUrl } from '../../../src/channels/sms/sms-url.ts';
import { realEdges } from '../../../src/edges.ts';
import { clockEdges, makeMessage, noAbort } from '../../helpers/content.ts';
import { type CountingSink, startCountingSink } from '../../helpers/counting-sink.ts';

const paceOf = (ms: number, answers = 20): Pace => ({ ms, answers });
const answering = (pace: Pace, ms: number, times: number): Pace =>
  Array.from({ length: times }).reduce<Pace>((now) => afterAnswer(now, ms), pace);

describe('shares', () => {
  it.each([
    [
      'weights alone while nobody is slow',
      [
        [3, 300],
        [1, 700],
      ],
      [3, 1],
    ],
    [
      'less, down to a twentieth, for one that is slow',
      [
        [1, 4_000],
        [1, 400],
      ],
      [0.1, 1],
    ],
    [
      'at least a twentieth',
      [
        [1, 90_000],
        [1, 300],
      ],
      [0.05, 1],
    ],
    [
      'nothing less for whoever answers at once',
      [
        [1, 150],
        [1, 2],
      ],
      [1, 1],
    ],
    [
      'what a slow one loses to those that stand by',
      [
        [1, 8_000],
        [0, 400],
        [0, 0],
      ],
      [0.05, 0.475, 0.475],
    ],
    [
      'nothing to one that stands by and is slow itself',
      [
        [1, 8_000],
        [0, 100],
        [0, 9_000],
      ],
      [0.05, 0.95, 0],
    ],
    [
      'a measure of its own for one whose fellows are unheard',
      [
        [1, 6_000],
        [0, 0],
      ],
      [0.2778, 0.7222],
    ],
  ] as [string, [number, number][], number[]][])('%s', (_name, list, shares) => {
    const providers = list.map(([weight, ms]) => ({ weight, pace: ms === 0 ? noPace : paceOf(ms) }));
    for (const [at, share] of sharesOf(providers).entries()) expect(share).toBeCloseTo(shares[at] ?? -1, 3);
  });

  it('say nothing of one after a few answers, and forgive after some twenty', () => {
    const slow = (pace: Pace) =>
      (sharesOf([
        { weight: 1, pace },
        { weight: 1, pace: paceOf(50) },
      ])[0] ?? 0) < 1;
    expect(slow(answering(noPace, 5_000, 9))).toBe(false);
    expect(slow(answering(noPace, 5_000, 10))).toBe(true);
    expect(slow(answering(answering(noPace, 1_000, 50), 50, 45))).toBe(false);
  });

  it('draw every provider once, those without a share last, and the first in proportion', () => {
    const list = fc.array(fc.oneof(fc.constant(0), fc.double({ min: 0.01, max: 100, noNaN: true })), {
      minLength: 1,
      maxLength: 6,
    });
    fc.assert(
      fc.property(list, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (shares, random) => {
        const order = drawOrder(shares, () => random);
        expect([...order].sort()).toEqual([...shares.keys()].sort());
        const drawn = order.map((at) => (shares[at] ?? 0) > 0);
        expect(drawn).toEqual([...drawn].sort((a, b) => Number(b) - Number(a)));
      }),
    );
    const firsts = Array.from({ length: 1_000 }, (_, n) => drawOrder([3, 1, 0], () => n / 1_000)[0]);
    expect([0, 1, 2].map((at) => firsts.filter((first) => first === at).length)).toEqual([750, 250, 0]);
  });
});

describe('several SMTP servers', () => {
  let sinks: CountingSink[] = [];
  let close: () => Promise<void>;
  afterEach(async () => {
    await close();
    for (const sink of sinks) await sink.close();
  });

  const over = async (servers: { delayMs?: number; query: string }[]) => {
    sinks = await Promise.all(servers.map(({ delayMs }) => startCountingSink(delayMs ?? 0)));
    const urls = sinks.map((sink, at) => `${sink.url.replace(/\?.*/, '')}?pool=4&idle=1${servers[at]?.query}`);
    // draws go evenly through [0, 1), so that shares are met exactly
    let drawn = 0;
    const random = () => {
      drawn += 0.618034;
      return drawn % 1;
    };
    const config = { urls, from: 'Town <office@town.test>', bounces: undefined, dkim: undefined };
    const channel = makeEmailChannel(config, { edges: { ...realEdges, random } });
    close = () => channel.close();
    return channel;
  };
  const totals = (): number[] => sinks.map((sink) => sink.total());

  it('share the mails by weight; one of weight 0 gets none while the others are well, all when they are gone', async () => {
    const channel = await over([{ query: '&weight=3' }, { query: '&weight=1' }, { query: '&weight=0' }]);
    for (let n = 0; n < 80; n += 1) expect(await channel.send(makeMessage(), noAbort)).toMatchObject({ ok: true });
    const [first = 0, second = 0, third = 0] = totals();
    expect([first + second, third]).toEqual([80, 0]);
    expect(Math.abs(first - 60)).toBeLessThan(5);
    for (const sink of sinks.slice(0, 2)) await sink.close();
    for (let n = 0; n < 20; n += 1) expect(await channel.send(makeMessage(), noAbort)).toMatchObject({ ok: true });
    expect(totals()[2]).toBe(20);
    sinks = sinks.slice(2);
  });

  it('give traffic away from one that is slow', async () => {
    const channel = await over([{ delayMs: 1_000, query: '&weight=1' }, { query: '&weight=1' }]);
    await Promise.all(Array.from({ length: 24 }, () => channel.send(makeMessage(), noAbort)));
    // those of the first connections took their time too
    await Promise.all(Array.from({ length: 24 }, () => channel.send(makeMessage(), noAbort)));
    const before = totals();
    await Promise.all(Array.from({ length: 40 }, () => channel.send(makeMessage(), noAbort)));
    const [slow = 0, quick = 0] = totals().map((total, at) => total - (before[at] ?? 0));
    expect(slow + quick).toBe(40);
    expect(slow).toBeLessThan(14);
  });
});

describe('the address of a provider', () => {
  it('may say rate, burst and weight', () => {
    const query = 'rate=20&burst=100&weight=2.5';
    expect(readSmtpUrl(`smtp://a.example?${query}`)).toMatchObject({ rate: 20, burst: 100, weight: 2.5 });
    expect(readSmsUrl(`smpp://u:p@a.example?from=1&${query}`)).toMatchObject({ rate: 20, burst: 100, weight: 2.5 });
  });

  it.each(['burst=5', 'weight=-1', 'weight=heavy', 'rate=0', 'rate=5&burst=0'])('is refused with %s', (query) => {
    expect(() => readSmtpUrl(`smtp://a.example?${query}`)).toThrow('EMAIL_URL');
    expect(() => readSmsUrl(`smpp://u:p@a.example?from=1&${query}`)).toThrow('SMS_URL');
  });

  it('bursts as often as it says, then keeps to its rate', async () => {
    const sink = await startCountingSink(0);
    const urls = [`${sink.url}&rate=0.1&burst=5`];
    const config = { urls, from: 'Town <office@town.test>', bounces: undefined, dkim: undefined };
    const channel = makeEmailChannel(config, { edges: clockEdges() });
    const results = [];
    for (let n = 0; n < 6; n += 1) results.push(await channel.send(makeMessage(), noAbort));
    expect(results.map((one) => one.ok)).toEqual([true, true, true, true, true, false]);
    expect(results[5]).toMatchObject({ kind: 'throttled', retryAfterMs: 10_000 });
    await channel.close();
    await sink.close();
  });
});
