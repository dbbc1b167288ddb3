import type { SendResult } from '../channels/channel.ts';
import type { Attempt, Outcome } from './ledger-store.ts';
import type { DeliveryState } from './push.ts';

/** First pause after a transient failure, and the longest one. */
const firstPauseMs = 15_000;
const longestPauseMs = 3_600_000;
/** With pauses that double up to an hour, this many attempts reach over more than 24 hours even at the shortest jitter. */
export const mostAttempts = 60;
/** Emergencies pause for less, so that it takes more attempts to reach over those 24 hours. */
const longestUrgentPauseMs = 300_000;
const mostUrgentAttempts = 640;
/** A row whose notice belongs to another push looks again after this. */
export const parkedMs = 5_000;

/** Exponential backoff with jitter: between half and all of `15 s * 2^n`, at most an hour. */
export const pauseAfter = (attempts: number, random: () => number, longestMs = longestPauseMs): number =>
  Math.round(Math.min(firstPauseMs * 2 ** Math.min(attempts, 20), longestMs) * (0.5 + random() / 2));

/**
 * How a row is tried again: the others for more than 24 hours; an emergency more often, until its deadline (or `expiresAt`)
 * has passed, for more than 24 hours where it has none.
 */
export type Urge = { urgent: boolean; until?: string | undefined };

const givesUp = (attempts: number, at: number, urge: Urge): boolean => {
  if (!urge.urgent) return attempts >= mostAttempts;
  return urge.until === undefined
    ? attempts >= mostUrgentAttempts
    : at >= Date.parse(urge.until) && attempts >= mostAttempts;
};

/** One attempt as the message keeps it. */
export const attemptOf = (result: SendResult, at: number): Attempt => ({
  at,
  provider: result.provider,
  ok: result.ok,
  response: result.ok ? result.response : `${result.reason}: ${result.detail}`.slice(0, 300),
  reference: result.ok ? result.reference : null,
});

/** What a provider can say of a message after it took it. */
export type ReceiptKind = 'delivered' | 'bounced';

/**
 * An outcome, judged by a receipt that came before it. `delivered` outranks whatever was heard on the line: what has arrived
 * must not go out again. A bounce says more than `sent`, and less than a failure, which names what comes next.
 */
export const outcomeAfter = (outcome: Outcome, receipt: ReceiptKind | null): Outcome => {
  if (receipt === null || (receipt === 'bounced' && outcome.to.state !== 'sent')) return outcome;
  return { ...outcome, to: { ...outcome.to, state: receipt, code: null, dueAt: null }, next: null };
};

/** Whether a person was told who has a row in this state. */
export const tells = (state: DeliveryState): boolean => ['sent', 'delivered', 'bounced'].includes(state);

/**
 * The state a row goes to after an attempt: sent, failed for good, or deferred until it is tried again. A throttled
 * attempt never counts as one, because the provider did not look at the message.
 */
export const stateAfter = (
  result: SendResult,
  attempts: number,
  at: number,
  random: () => number,
  urge: Urge = { urgent: false },
): Outcome['to'] => {
  if (result.ok) return { state: 'sent', code: null, dueAt: null, attempts: attempts + 1 };
  if (result.kind === 'permanent') return { state: 'failed', code: result.reason, dueAt: null, attempts: attempts + 1 };
  if (result.kind === 'throttled') {
    const pause = Math.ceil(result.retryAfterMs ?? pauseAfter(0, random));
    return { state: 'deferred', code: 'throttled', dueAt: at + pause, attempts };
  }
  if (givesUp(attempts + 1, at, urge)) return { state: 'failed', code: 'gave-up', dueAt: null, attempts: attempts + 1 };
  const longest = urge.urgent ? longestUrgentPauseMs : longestPauseMs;
  const pause = Math.ceil(Math.max(result.retryAfterMs ?? 0, pauseAfter(attempts, random, longest)));
  return { state: 'deferred', code: 'retry', dueAt: at + pause, attempts: attempts + 1 };
};

/** A row that waits is due at the latest when its item expires (ISO 8601), to be withheld then (semantic 3). */
export const noLaterThan = (to: Outcome['to'], expiresAt: string | undefined): Outcome['to'] =>
  to.dueAt === null || expiresAt === undefined ? to : { ...to, dueAt: Math.min(to.dueAt, Date.parse(expiresAt)) };
