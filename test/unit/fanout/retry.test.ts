import type { SendResult } from '../../../src/channels/channel.ts';
import { mostAttempts, noLaterThan, pauseAfter, stateAfter } from '../../../src/fanout/retry.ts';

const failed = (kind: 'permanent' | 'transient' | 'throttled', retryAfterMs?: number): SendResult => ({
  ok: false,
  provider: 'p',
  kind,
  reason: 'why',
  detail: 'words',
  ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
});
const least = () => 0;

describe('retries', () => {
  it('double from 15 seconds to an hour, with jitter of half', () => {
    expect([0, 1, 2, 8, 30].map((n) => pauseAfter(n, least))).toEqual([7_500, 15_000, 30_000, 1_800_000, 1_800_000]);
    expect(pauseAfter(0, () => 0.999)).toBeLessThanOrEqual(15_000);
  });

  it('go on for more than 24 hours even when jitter makes every pause its shortest', () => {
    const shortest = Array.from({ length: mostAttempts - 1 }, (_, n) => pauseAfter(n, least)).reduce(
      (a, b) => a + b,
      0,
    );
    expect(shortest / 3_600_000).toBeGreaterThan(24);
  });

  it.each([
    [
      'sent',
      { ok: true, provider: 'p', reference: null, response: '250' } as SendResult,
      0,
      { state: 'sent', attempts: 1, dueAt: null },
    ],
    ['failed for good', failed('permanent'), 0, { state: 'failed', code: 'why', dueAt: null, attempts: 1 }],
    ['tried again', failed('transient'), 0, { state: 'deferred', code: 'retry', dueAt: 107_500, attempts: 1 }],
    ['tried again not before the provider said', failed('transient', 600_000), 0, { dueAt: 700_000 }],
    [
      'throttled: not counted as an attempt',
      failed('throttled', 1_000),
      3,
      { code: 'throttled', dueAt: 101_000, attempts: 3 },
    ],
    ['given up', failed('transient'), mostAttempts - 1, { state: 'failed', code: 'gave-up' }],
  ])('%s', (_name, result, attempts, expected) =>
    expect(stateAfter(result, attempts, 100_000, least)).toMatchObject(expected),
  );
});

describe('an emergency', () => {
  const until = '1970-01-05T00:00:00Z';
  const atDeadline = Date.parse(until);
  const tried = (attempts: number, at: number, deadline: string | undefined) =>
    stateAfter(failed('transient'), attempts, at, least, { urgent: true, until: deadline });

  it('is tried again within minutes, and until its deadline', () => {
    expect(tried(50, 0, until)).toMatchObject({ state: 'deferred', dueAt: 150_000 });
    expect(tried(5_000, atDeadline - 1, until)).toMatchObject({ state: 'deferred' });
    expect(tried(5_000, atDeadline, until)).toMatchObject({ state: 'failed', code: 'gave-up' });
  });
  it('whose deadline has passed, or that has none, is tried as long as anything else', () => {
    expect(tried(mostAttempts - 2, atDeadline, until)).toMatchObject({ state: 'deferred' });
    let at = 0;
    let attempts = 0;
    for (let next = tried(0, 0, undefined); next.dueAt !== null; next = tried(attempts, at, undefined)) {
      at = next.dueAt;
      attempts = next.attempts;
    }
    expect(at / 3_600_000).toBeGreaterThan(24);
  });
});

describe('a row that waits', () => {
  const waiting = stateAfter(failed('transient'), 0, 100_000, least);
  it('is due when its item expires, if that comes first', () => {
    expect(noLaterThan(waiting, '1970-01-01T00:01:45Z')).toEqual({ ...waiting, dueAt: 105_000 });
    expect(noLaterThan(waiting, '1970-01-01T00:02:00Z')).toEqual(waiting);
    expect(noLaterThan(waiting, undefined)).toEqual(waiting);
  });
  it('and one that waits no more is left alone', () => {
    const sent = stateAfter({ ok: true, provider: 'p', reference: null, response: '250' }, 0, 100_000, least);
    expect(noLaterThan(sent, '1970-01-01T00:00:01Z')).toEqual(sent);
  });
});
