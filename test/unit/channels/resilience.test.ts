import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import type { Channel, SendResult } from '../../../src/channels/channel.ts';
import {
  admit,
  afterFailure,
  type BreakerSettings,
  type BreakerState,
  closedBreaker,
} from '../../../src/channels/resilience/circuit-breaker.ts';
import { makeStop, StoppedError } from '../../../src/channels/resilience/deadline.ts';
import { makePaceMeter, type Provider, withFailover } from '../../../src/channels/resilience/failover.ts';
import { guarded } from '../../../src/channels/resilience/guard.ts';
import { makeSemaphore } from '../../../src/channels/resilience/semaphore.ts';
import { fullBucket, takeTurn } from '../../../src/channels/resilience/token-bucket.ts';
import { failure } from '../../../src/channels/result.ts';
import { clockEdges, makeMessage, noAbort } from '../../helpers/content.ts';

const settings: BreakerSettings = { threshold: 3, openMs: 100, longestMs: 1_000, probeMs: 500 };
const failTimes = (times: number, now: number, from: BreakerState = closedBreaker): BreakerState =>
  Array.from({ length: times }).reduce<BreakerState>((state) => afterFailure(state, now, settings), from);

describe('circuit breaker', () => {
  it('opens at the threshold, and says how long to wait', () => {
    expect(admit(failTimes(2, 0), 0, settings).admitted).toBe(true);
    expect(admit(failTimes(3, 0), 40, settings)).toMatchObject({ admitted: false, retryAfterMs: 60 });
  });

  it('lets one probe through, then no other until it is reported or lost', () => {
    const probing = admit(failTimes(3, 0), 100, settings);
    expect(probing.admitted).toBe(true);
    expect(admit(probing.state, 101, settings).admitted).toBe(false);
    expect(admit(probing.state, 600, settings).admitted).toBe(true);
  });

  it('opens twice as long after each failed probe, up to a limit', () => {
    let state = failTimes(3, 0);
    const waits: number[] = [];
    for (let now = 0; waits.length < 6; ) {
      const held = admit(state, now, settings);
      if (held.admitted) state = afterFailure(held.state, now, settings);
      else {
        waits.push(held.retryAfterMs);
        now += held.retryAfterMs;
      }
    }
    expect(waits).toEqual([100, 200, 400, 800, 1_000, 1_000]);
  });

  it('is not prolonged by what was on its way when it opened', () => {
    expect(failTimes(10, 50, failTimes(3, 0))).toEqual(failTimes(3, 0));
  });
});

describe('token bucket', () => {
  it('never grants more than burst + rate × time, and keeps the order of waiters', () => {
    const arrivals = fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(
        arrivals,
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 1, max: 20 }),
        (gaps, perSecond, burst) => {
          const bucket = { perSecond, burst, longestWaitMs: 3_000 };
          let state = fullBucket(bucket, 0);
          let now = 0;
          const starts: number[] = [];
          for (const gap of gaps) {
            now += gap;
            const turn = takeTurn(state, now, bucket);
            state = turn.state;
            if (turn.granted) starts.push(now + turn.waitMs);
            else expect(turn.waitMs).toBeGreaterThan(3_000);
          }
          for (const [n, start] of starts.entries()) {
            if (n > 0) expect(start).toBeGreaterThanOrEqual(starts[n - 1] ?? 0);
            expect(n + 1).toBeLessThanOrEqual(burst + (start / 1000) * perSecond + 1e-6);
          }
        },
      ),
    );
  });
});

describe('semaphore', () => {
  it('admits in order, and forgets who stopped waiting', async () => {
    const semaphore = makeSemaphore(1);
    const never = makeStop();
    const stop = makeStop();
    await semaphore.take(never);
    const order: string[] = [];
    const gone = semaphore.take(stop).catch(() => order.push('gone'));
    const second = semaphore.take(never).then(() => order.push('second'));
    const third = semaphore.take(never).then(() => order.push('third'));
    stop.stop(new StoppedError('EABORT', 'stopped'));
    await gone;
    semaphore.give();
    await second;
    semaphore.give();
    await third;
    expect(order).toEqual(['gone', 'second', 'third']);
  });
});

const channelOf = (answers: () => SendResult): Channel & { calls: number } => {
  const channel = {
    name: 'email' as const,
    limits: { concurrency: 7 },
    calls: 0,
    send: async () => {
      channel.calls += 1;
      return answers();
    },
    close: async () => undefined,
  };
  return channel;
};
const sent: SendResult = { ok: true, provider: 'p', reference: null, response: 'ok' };
const down = failure('p', { kind: 'transient', reason: 'connection' }, 'refused');

describe('a guarded channel', () => {
  it('is not called while it is dead, and again once a probe has gone well', async () => {
    const edges = clockEdges();
    let answer: SendResult = down;
    const inner = channelOf(() => answer);
    const channel = guarded(inner, { edges, breaker: settings });
    for (let n = 0; n < 10; n += 1) await channel.send(makeMessage(), noAbort);
    expect(inner.calls).toBe(3);
    answer = sent;
    edges.advance(100);
    for (let n = 0; n < 3; n += 1) expect(await channel.send(makeMessage(), noAbort)).toBe(sent);
  });

  it('does not open for what is wrong with addresses', async () => {
    const inner = channelOf(() => failure('p', { kind: 'transient', reason: 'greylisted' }, '450'));
    const channel = guarded(inner, { edges: clockEdges(), breaker: settings });
    for (let n = 0; n < 10; n += 1) await channel.send(makeMessage(), noAbort);
    expect(inner.calls).toBe(10);
  });

  it('waits for its turn, and stops waiting when told to', async () => {
    const inner = channelOf(() => sent);
    const channel = guarded(inner, { edges: clockEdges(), ratePerSecond: 1, burst: 1 });
    expect(await channel.send(makeMessage(), noAbort)).toBe(sent);
    const stop = new AbortController();
    const waiting = Array.from({ length: 20 }, () => channel.send(makeMessage(), stop.signal));
    // a listener for each would cost more than the message, and Node warns of a leak
    expect(getEventListeners(stop.signal, 'abort')).toHaveLength(1);
    stop.abort();
    for (const one of waiting.slice(0, 3)) expect(await one).toMatchObject({ ok: false, reason: 'aborted' });
    expect((await Promise.all(waiting)).some(({ ok }) => ok)).toBe(false);
    expect(inner.calls).toBe(1);
  });
});

const over = (...channels: Channel[]): Channel =>
  withFailover(
    channels.map((channel) => ({ channel, weight: undefined, meter: makePaceMeter() })) as [Provider, ...Provider[]],
    { random: () => 0.5 },
  );

describe('failover', () => {
  it('answers the soonest time to come back when everything is held', async () => {
    const held = (retryAfterMs: number) =>
      channelOf(() => failure('p', { kind: 'throttled', reason: 'breaker-open', retryAfterMs }, ''));
    const result = await over(held(900), held(300), held(600)).send(makeMessage(), noAbort);
    expect(result).toMatchObject({ ok: false, kind: 'throttled', retryAfterMs: 300 });
  });

  it('asks the next provider only after a failure that it may mend', async () => {
    const second = channelOf(() => sent);
    const refused = failure('p', { kind: 'permanent', reason: 'no-such-address' }, '550');
    expect(
      await over(
        channelOf(() => refused),
        second,
      ).send(makeMessage(), noAbort),
    ).toBe(refused);
    expect(second.calls).toBe(0);
    expect(
      await over(
        channelOf(() => down),
        second,
      ).send(makeMessage(), noAbort),
    ).toBe(sent);
  });
});
