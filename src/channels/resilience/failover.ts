import type { Edges } from '../../edges.ts';
import type { Channel, SendResult } from '../channel.ts';
import { type Failure, failure } from '../result.ts';
import { makeStop, withDeadline } from './deadline.ts';
import { makeSemaphore, type Semaphore } from './semaphore.ts';
import { afterAnswer, drawOrder, noPace, type Pace, sharesOf } from './shares.ts';

const sooner = (a: Failure, b: Failure): Failure => ((a.retryAfterMs ?? 0) <= (b.retryAfterMs ?? 0) ? a : b);

/** The failure to answer with when every provider failed: a transient one, else the one that may be tried again soonest. */
const worthRetrying = (failures: Failure[]): Failure | undefined =>
  failures.find((one) => one.kind === 'transient') ?? failures.reduce(sooner);

/** How long an answer took, as its provider's guard measures it: without what it waited for its turn. */
export type PaceMeter = { read(): Pace; note(ms: number): void };

export const makePaceMeter = (): PaceMeter => {
  let pace = noPace;
  return {
    read: () => pace,
    note: (ms) => {
      pace = afterAnswer(pace, ms);
    },
  };
};

/** One provider of several. `weight`: its share of the traffic; 0 stands by; undefined as its URL says nothing. */
export type Provider = { channel: Channel; weight: number | undefined; meter: PaceMeter };

/** Where no provider has a weight they are tried in order; else one without counts as 1. */
const weightsOf = (providers: readonly Pick<Provider, 'weight'>[]): number[] =>
  providers.every(({ weight }) => weight === undefined)
    ? providers.map((_, at) => (at === 0 ? 1 : 0))
    : providers.map(({ weight }) => weight ?? 1);

/** How many messages may be under way: what those that share the traffic take together, or one that stands by alone. */
export const concurrencyOf = (providers: readonly { weight: number | undefined; concurrency: number }[]): number => {
  const weights = weightsOf(providers);
  const sharing = providers.reduce((sum, { concurrency }, at) => sum + (weights[at] ? concurrency : 0), 0);
  return Math.max(sharing, ...providers.map(({ concurrency }) => concurrency));
};

/** A message that finds every place of its provider taken waits this long at most. */
const longestWaitMs = 5_000;
const never = makeStop();

type Place = Provider & { places: Semaphore };

const takePlace = async (places: Semaphore, signal: AbortSignal): Promise<boolean> => {
  try {
    if (places.isFull()) await withDeadline(longestWaitMs, signal, (stop) => places.take(stop));
    else await places.take(never);
    return true;
  } catch {
    return false;
  }
};

const sendBy = async ({ channel, places }: Place, ...sent: Parameters<Channel['send']>): Promise<SendResult> => {
  if (!(await takePlace(places, sent[1])))
    return failure(
      channel.name,
      { kind: 'throttled', reason: 'throttled', retryAfterMs: 1_000 },
      'every place is taken',
    );
  try {
    return await channel.send(...sent);
  } finally {
    places.give();
  }
};

/**
 * Shares the messages of one channel among its providers by weight, less to slow ones; the next one when a provider cannot
 * take a message now (transient, throttled); a permanent refusal is about the address and final.
 */
export const withFailover = (providers: [Provider, ...Provider[]], edges: Pick<Edges, 'random'>): Channel => {
  const [{ channel: first }] = providers;
  if (providers.length === 1) return first;
  const weights = weightsOf(providers);
  const all: Place[] = providers.map((one) => ({ ...one, places: makeSemaphore(one.channel.limits.concurrency) }));
  const concurrency = concurrencyOf(
    providers.map(({ weight, channel }) => ({ weight, concurrency: channel.limits.concurrency })),
  );

  /** Those with a free place first: a full one is waited for only when all are full. */
  const inOrder = (): Place[] => {
    const shares = sharesOf(all.map(({ meter }, at) => ({ weight: weights[at] ?? 0, pace: meter.read() })));
    const order = drawOrder(shares, edges.random).flatMap((at) => all[at] ?? []);
    return [...order.filter(({ places }) => !places.isFull()), ...order.filter(({ places }) => places.isFull())];
  };

  return {
    name: first.name,
    limits: { concurrency },
    send: async (message, signal): Promise<SendResult> => {
      const failures: Failure[] = [];
      for (const provider of inOrder()) {
        const result = await sendBy(provider, message, signal);
        if (result.ok || result.kind === 'permanent') return result;
        failures.push(result);
        if (signal.aborted) break;
      }
      return worthRetrying(failures) as SendResult;
    },
    close: async () => {
      await Promise.all(providers.map(({ channel }) => channel.close()));
    },
  };
};
