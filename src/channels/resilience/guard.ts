import type { Edges } from '../../edges.ts';
import { makeLru } from '../../lru.ts';
import type { Channel, OutgoingMessage, SendResult } from '../channel.ts';
import { failure, isProviderFault } from '../result.ts';
import {
  admit,
  afterFailure,
  type BreakerSettings,
  type BreakerState,
  breakerSettings,
  closedBreaker,
} from './circuit-breaker.ts';
import { pause, stopOf } from './deadline.ts';
import type { PaceMeter } from './failover.ts';
import { type BucketState, fullBucket, takeTurn } from './token-bucket.ts';

export type GuardOptions = {
  edges: Pick<Edges, 'monotonic'>;
  /** Messages a second; left out, as many as go. */
  ratePerSecond?: number | undefined;
  /** How many at once; left out, a second's worth. */
  burst?: number | undefined;
  /** Told how long each answer took, a missing one included. */
  meter?: Pick<PaceMeter, 'note'>;
  breaker?: BreakerSettings;
  /** What fails together, for example a push service's origin; left out, the whole channel does. */
  keyOf?: (message: OutgoingMessage) => string;
};

type Gate = { breaker: BreakerState; pausedUntil: number; bucket: BucketState | null };

/** A provider that says "later" is left alone for that long, but not longer than this (ms) on one message's word. */
const longestPause = 60_000;
const longestWaitMs = 5_000;

/**
 * Puts breaker and token bucket before a channel: while the provider is dead or has asked for quiet, messages are answered
 * `throttled` with the time to wait, without touching the network.
 */
export const guarded = (channel: Channel, options: GuardOptions): Channel => {
  const { edges, keyOf = () => '' } = options;
  const settings = options.breaker ?? breakerSettings;
  const { ratePerSecond: rate, meter } = options;
  const bucketSettings = rate ? { perSecond: rate, burst: options.burst ?? Math.max(1, rate), longestWaitMs } : null;
  const gates = makeLru<Gate>(10_000);

  const gateOf = (key: string): Gate => {
    const known = gates.get(key);
    if (known) return known;
    const bucket = bucketSettings && fullBucket(bucketSettings, edges.monotonic());
    const gate: Gate = { breaker: closedBreaker, pausedUntil: 0, bucket };
    gates.set(key, gate);
    return gate;
  };

  const refusal = (reason: 'breaker-open' | 'throttled', retryAfterMs: number): SendResult =>
    failure(channel.name, { kind: 'throttled', reason, retryAfterMs }, `not tried for ${Math.ceil(retryAfterMs)} ms`);

  /** Null when the message may go now; also waits for its turn. */
  const hold = async (gate: Gate, signal: AbortSignal): Promise<SendResult | null> => {
    const now = edges.monotonic();
    if (gate.pausedUntil > now) return refusal('throttled', gate.pausedUntil - now);
    if (gate.bucket && bucketSettings) {
      const turn = takeTurn(gate.bucket, now, bucketSettings);
      gate.bucket = turn.state;
      if (!turn.granted) return refusal('throttled', turn.waitMs);
      if (turn.waitMs > 0) await pause(stopOf(signal), turn.waitMs);
    }
    const admission = admit(gate.breaker, edges.monotonic(), settings);
    gate.breaker = admission.state;
    return admission.admitted ? null : refusal('breaker-open', admission.retryAfterMs);
  };

  const record = (gate: Gate, result: SendResult): void => {
    const now = edges.monotonic();
    if (isProviderFault(result)) gate.breaker = afterFailure(gate.breaker, now, settings);
    else if (result.ok || result.reason !== 'aborted') gate.breaker = closedBreaker;
    if (!result.ok && result.kind === 'throttled')
      gate.pausedUntil = Math.max(gate.pausedUntil, now + Math.min(result.retryAfterMs ?? 1_000, longestPause));
  };

  const send = async (message: OutgoingMessage, signal: AbortSignal): Promise<SendResult> => {
    const gate = gateOf(keyOf(message));
    try {
      const held = await hold(gate, signal);
      if (held) return held;
    } catch {
      return failure(channel.name, { kind: 'transient', reason: 'aborted' }, 'stopped while waiting for its turn');
    }
    const sentAt = edges.monotonic();
    const result = await channel.send(message, signal);
    if (result.ok || result.reason === 'timeout') meter?.note(edges.monotonic() - sentAt);
    record(gate, result);
    return result;
  };

  return { name: channel.name, limits: channel.limits, send, close: () => channel.close() };
};
