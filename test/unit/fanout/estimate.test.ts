import { makeEstimates } from '../../../src/fanout/estimate.ts';
import { noCounts } from '../../../src/fanout/push.ts';
import { makePush } from '../../helpers/fanout-builders.ts';

const plannedAt = Date.parse('2026-06-10T04:00:00Z');

describe('the estimated end of a push', () => {
  let now: number;
  let estimate: ReturnType<typeof makeEstimates>;
  beforeEach(() => {
    now = plannedAt;
    estimate = makeEstimates({ now: () => now, monotonic: () => now - plannedAt });
  });
  const look = (seconds: number, sent: number, fields: object = {}): number | null => {
    now = plannedAt + seconds * 1_000;
    const push = makePush({ state: 'running', plan: 'p', plannedAt, matched: 1_000, ...fields });
    const end = estimate(push, { ...noCounts(), planned: 1_000 - sent, sent });
    return end === null ? null : (end - plannedAt) / 1_000;
  };

  it('follows the pace since it was planned at the first look, then that of the last minute', () => {
    expect(look(10, 100)).toBe(100);
    expect(look(20, 300)).toBe(55);
    for (const [at, sent] of [
      [50, 330],
      [75, 350],
      [100, 375],
    ] as const)
      look(at, sent);
    // 80 people in the 55 seconds since the oldest look of the last minute
    expect(look(130, 430)).toBe(522);
  });

  it('is none while nothing moves, nothing is left, or it does not run', () => {
    expect(look(5, 0)).toBeNull();
    expect(look(10, 1_000)).toBeNull();
    for (const state of ['planning', 'paused', 'done', 'cancelled']) expect(look(12, 500, { state })).toBeNull();
    expect(look(12, 500, { plannedAt: null })).toBeNull();
  });

  it('forgets its pace over a pause', () => {
    look(10, 500);
    look(12, 600);
    expect(look(20, 600, { state: 'paused' })).toBeNull();
    look(3_600, 600);
    expect(look(3_602, 700)).toBe(3_608);
  });

  it('counts those who are deferred as behind it: they settle later under the same push', () => {
    now = plannedAt + 10_000;
    const push = makePush({ state: 'running', plan: 'p', plannedAt, matched: 100 });
    expect(estimate(push, { ...noCounts(), planned: 10, sent: 40, deferred: 40, digested: 10 })).toBe(
      plannedAt + 12_000,
    );
  });
});
