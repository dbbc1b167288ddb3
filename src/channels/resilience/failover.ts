import type { Channel, SendResult } from '../channel.ts';
import type { Failure } from '../result.ts';

const sooner = (a: Failure, b: Failure): Failure => ((a.retryAfterMs ?? 0) <= (b.retryAfterMs ?? 0) ? a : b);

/** The failure to answer with when every provider failed: a transient one, else the one that may be tried again soonest. */
const worthRetrying = (failures: Failure[]): Failure | undefined =>
  failures.find((one) => one.kind === 'transient') ?? failures.reduce(sooner);

/**
 * Tries providers of one channel in order: the next one when a provider cannot take the message now (transient, throttled);
 * a permanent refusal is about the address and final.
 */
export const withFailover = (providers: [Channel, ...Channel[]]): Channel => {
  const [first] = providers;
  if (providers.length === 1) return first;
  return {
    name: first.name,
    limits: { concurrency: Math.max(...providers.map((one) => one.limits.concurrency)) },
    send: async (message, signal): Promise<SendResult> => {
      const failures: Failure[] = [];
      for (const provider of providers) {
        const result = await provider.send(message, signal);
        if (result.ok || result.kind === 'permanent') return result;
        failures.push(result);
        if (signal.aborted) break;
      }
      return worthRetrying(failures) as SendResult;
    },
    close: async () => {
      await Promise.all(providers.map((provider) => provider.close()));
    },
  };
};
