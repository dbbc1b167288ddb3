/** **token bucket**: at most `perSecond` on average, `burst` at once. Turns are reserved, so that waiters keep their order. */
export type BucketState = { tokens: number; at: number };
export type BucketSettings = { perSecond: number; burst: number; longestWaitMs: number };

export const fullBucket = (settings: BucketSettings, now: number): BucketState => ({ tokens: settings.burst, at: now });

/** A turn in `waitMs` (0: now), or none because the wait would be too long. */
export type Turn = { state: BucketState; granted: boolean; waitMs: number };

/** Reserves one turn. */
export const takeTurn = (state: BucketState, now: number, settings: BucketSettings): Turn => {
  const filled = Math.min(settings.burst, state.tokens + (Math.max(0, now - state.at) / 1000) * settings.perSecond);
  const left = filled - 1;
  const waitMs = left >= 0 ? 0 : Math.ceil((-left / settings.perSecond) * 1000);
  if (waitMs > settings.longestWaitMs) return { state: { tokens: filled, at: now }, granted: false, waitMs };
  return { state: { tokens: left, at: now }, granted: true, waitMs };
};
