/**
 * **circuit breaker**: closed while a provider answers; open (nothing goes out) after `threshold` failures in a row; then one
 * probe at a time is let through, and its outcome closes or opens again, for twice as long each time.
 */
export type BreakerState =
  | { kind: 'closed'; failures: number }
  | { kind: 'open'; until: number; trips: number }
  | { kind: 'probing'; since: number; trips: number };

/** Times in ms. A probe that was never reported back (its worker stopped) is given up after `probeMs`. */
export type BreakerSettings = { threshold: number; openMs: number; longestMs: number; probeMs: number };

export const breakerSettings: BreakerSettings = { threshold: 5, openMs: 2_000, longestMs: 120_000, probeMs: 90_000 };

export type Admission = { state: BreakerState } & ({ admitted: true } | { admitted: false; retryAfterMs: number });

export const closedBreaker: BreakerState = { kind: 'closed', failures: 0 };

const probe = (state: { trips: number }, now: number): Admission => ({
  admitted: true,
  state: { kind: 'probing', since: now, trips: state.trips },
});

/** Asks to send; the state that comes back is the one to keep. */
export const admit = (state: BreakerState, now: number, settings: BreakerSettings): Admission => {
  if (state.kind === 'closed') return { admitted: true, state };
  if (state.kind === 'open')
    return now >= state.until ? probe(state, now) : { admitted: false, state, retryAfterMs: state.until - now };
  if (now >= state.since + settings.probeMs) return probe(state, now);
  return { admitted: false, state, retryAfterMs: settings.openMs };
};

const opened = (trips: number, now: number, settings: BreakerSettings): BreakerState => ({
  kind: 'open',
  until: now + Math.min(settings.openMs * 2 ** trips, settings.longestMs),
  trips: trips + 1,
});

/** The provider failed. What was already on its way when the breaker opened does not prolong it. */
export const afterFailure = (state: BreakerState, now: number, settings: BreakerSettings): BreakerState => {
  if (state.kind === 'open') return state;
  if (state.kind === 'probing') return opened(state.trips, now, settings);
  return state.failures + 1 >= settings.threshold
    ? opened(0, now, settings)
    : { kind: 'closed', failures: state.failures + 1 };
};
