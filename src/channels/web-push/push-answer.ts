import { retryAfterMs } from '../../retry-after.ts';
import type { Verdict } from '../result.ts';

/**
 * Sorts the answer of a push service (RFC 8030 sections 5 and 7.3): 404 and 410 end the subscription, 429 asks to wait.
 * Null: it was taken.
 */
export const classifyPush = (status: number, retryAfter: string | undefined, now: number): Verdict | null => {
  const wait = retryAfterMs(retryAfter, now);
  const later = wait === undefined ? {} : { retryAfterMs: wait };
  if (status >= 200 && status < 300) return null;
  if (status === 404 || status === 410) return { kind: 'permanent', reason: 'endpoint-gone', addressGone: true };
  if (status === 429) return { kind: 'throttled', reason: 'throttled', retryAfterMs: wait ?? 30_000 };
  if (status === 413) return { kind: 'permanent', reason: 'too-large' };
  if (status === 401 || status === 403) return { kind: 'permanent', reason: 'not-authorised' };
  if (status === 408) return { kind: 'transient', reason: 'timeout', ...later };
  if (status >= 500) return { kind: 'transient', reason: 'provider-error', ...later };
  return { kind: 'permanent', reason: 'refused' };
};
