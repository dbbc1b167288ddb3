import type { Channel, OutgoingMessage, SendResult } from '../../channels/channel.ts';
import type { Edges } from '../../edges.ts';
import type { Log } from '../../log.ts';
import type { Storage } from '../../storage/storage.ts';
import type { ChannelName } from '../../subscriptions/follow.ts';
import { type Delivery, type Departure, type Lease, LeaseLost, type Outcome } from '../ledger-store.ts';
import type { Lane } from '../push.ts';
import { attemptOf, stateAfter } from '../retry.ts';
import type { HeldLease } from './lease.ts';

/** A row ready to leave: what the ledger must know, and one outgoing message for each address (web push: endpoints). */
export type Ready = {
  departure: Departure;
  attempts: number;
  item: { id: string; version: number; revision: number };
  messages: { lookup: string; message: OutgoingMessage }[];
  /** The row that follows if this channel fails for good, or null. */
  successor: (at: number) => Delivery | null;
};

/** What a submitter gives along: its lease, how fresh it is, and the lane. */
export type Sender = { lease: Lease; held: HeldLease; lane: Lane };

/** Why rows came back unsent: `stale` the item or the push has moved on (settle them anew), `lost` the lease is gone. */
export type Unsent = { ready: Ready; why: 'stale' | 'lost' };

type Job = { ready: Ready; sender: Sender; resolve: (unsent: Unsent | null) => void };
type Done = { job: Job; outcome: Outcome };

export type DispatcherStores = Pick<Storage, 'ledger' | 'pushes' | 'items' | 'addresses'>;
export type DispatcherTools = { channels: ReadonlyMap<ChannelName, Channel>; edges: Edges; log: Log; groupMs?: number };

/**
 * Sends with bounded slots. A slot is taken by a durable write and freed only when its outcome is durable, so the slots taken
 * are the messages in flight, and nothing else can go out twice after a kill. Writes of many slots go in one group commit.
 */
export const makeDispatcher = (stores: DispatcherStores, tools: DispatcherTools) => {
  const { channels, edges, log } = tools;
  const groupMs = tools.groupMs ?? 15;
  const queues = new Map(
    [...channels.keys()].map((name) => [name, { urgent: [] as Job[], other: [] as Job[], taken: 0 }]),
  );
  const done: Done[] = [];
  const abort = new AbortController();
  let timer: NodeJS.Timeout | null = null;
  let pumping = false;
  let draining = false;

  const wake = (): void => {
    if (timer || pumping) return;
    timer = setTimeout(() => {
      timer = null;
      void pump();
    }, groupMs);
  };

  const pump = async (): Promise<void> => {
    pumping = true;
    try {
      await flush();
      await takeSlots();
    } catch (error) {
      log.error({ error }, 'the ledger refuses; sending waits');
      await new Promise((resolve) => setTimeout(resolve, 1000));
    } finally {
      pumping = false;
      if (done.length > 0 || [...queues.keys()].some((name) => free(name) > 0 && waiting(name))) wake();
    }
  };

  const waiting = (name: ChannelName): boolean => {
    const queue = queues.get(name);
    return queue !== undefined && queue.urgent.length + queue.other.length > 0;
  };
  const limit = (name: ChannelName): number => channels.get(name)?.limits.concurrency ?? 0;
  const free = (name: ChannelName): number => limit(name) - (queues.get(name)?.taken ?? 0);

  /** The next jobs of a channel; a quarter of the slots is kept for emergencies. */
  const next = (name: ChannelName): Job[] => {
    const queue = queues.get(name);
    if (!queue) return [];
    const urgent = queue.urgent.splice(0, Math.max(0, free(name)));
    const reserved = Math.floor(limit(name) / 4);
    const other = queue.other.splice(0, Math.max(0, free(name) - urgent.length - reserved));
    return [...urgent, ...other];
  };

  const flush = (): Promise<void> =>
    all(byLease(done, (one) => one.job.sender.lease).map(([lease, group]) => settleGroup(lease, group)));

  const settleGroup = async (lease: Lease, group: Done[]): Promise<void> => {
    const outcomes = group.map((one) => one.outcome);
    const lost = await unlessLost(() => stores.ledger.settle(lease, outcomes));
    for (const one of group) {
      done.splice(done.indexOf(one), 1);
      freeSlot(one.job);
      one.job.resolve(lost ? { ready: one.job.ready, why: 'lost' } : null);
    }
  };

  const freeSlot = (job: Job): void => {
    const queue = queues.get(job.ready.departure.key.channel);
    if (queue) queue.taken -= 1;
  };

  const takeSlots = async (): Promise<void> => {
    const wanted = [...queues.keys()].flatMap(next);
    if (wanted.length === 0) return;
    const current = await orGiveBack(wanted, stillCurrent(wanted));
    const groups = byLease(wanted, (job) => job.sender.lease);
    await all(groups.map(([lease, group]) => orGiveBack(group, departGroup(lease, group, current))));
  };

  /** Jobs that have not left because the store refused go back to the head of their queues. */
  const orGiveBack = async <T>(jobs: Job[], work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      for (const job of [...jobs].reverse()) queueOf(job)?.unshift(job);
      throw error;
    }
  };

  const departGroup = async (lease: Lease, group: Job[], current: (job: Job) => boolean): Promise<void> => {
    const stale = group.filter((job) => !current(job));
    const mayGo = (job: Job): boolean => !draining && job.sender.held.fresh();
    const lost = group.filter((job) => current(job) && !mayGo(job));
    const going = group.filter((job) => current(job) && mayGo(job));
    const at = edges.now();
    let left: boolean[] = [];
    const gone = await unlessLost(async () => {
      left = await stores.ledger.depart(
        lease,
        going.map((job) => job.ready.departure),
        at,
      );
    });
    for (const job of stale) job.resolve({ ready: job.ready, why: 'stale' });
    for (const job of lost) job.resolve({ ready: job.ready, why: 'lost' });
    for (const [index, job] of going.entries()) {
      // the write itself may have waited long: a row that is marked but not sent is the next holder's to send
      const late = !mayGo(job);
      if (gone || late || !left[index]) {
        job.resolve({ ready: job.ready, why: gone || late ? 'lost' : 'stale' });
        continue;
      }
      const queue = queues.get(job.ready.departure.key.channel);
      if (queue) queue.taken += 1;
      void send(job);
    }
  };

  /** Before each send: is the item's version still the newest, and is the push still running? One read for all. */
  const stillCurrent = async (jobs: Job[]): Promise<(job: Job) => boolean> => {
    const heads = await stores.items.heads([...new Set(jobs.map((job) => job.ready.item.id))]);
    const pushes = [...new Set(jobs.map((job) => job.ready.departure.key.push))];
    const states = new Map(
      await Promise.all(pushes.map(async (id) => [id, (await stores.pushes.get(id))?.state] as const)),
    );
    return ({ ready }) => {
      const head = heads.get(ready.item.id);
      const state = states.get(ready.departure.key.push);
      const same = head?.version === ready.item.version && head.revision === ready.item.revision;
      return same && (state === 'running' || state === 'done');
    };
  };

  const send = async (job: Job): Promise<void> => {
    const { departure, attempts, messages } = job.ready;
    const result = await sendAll(departure.key.channel, messages, departure.key.ordinal);
    const at = edges.now();
    const to = stateAfter(result, attempts, at, edges.random);
    const next = to.state === 'failed' ? job.ready.successor(at) : null;
    const { key, notice, message } = departure;
    done.push({ job, outcome: { key, notice, message, attempt: attemptOf(result, at), to, next } });
    wake();
  };

  /** One message to all addresses of a person on the channel: it was sent if one of them took it. */
  const sendAll = async (name: ChannelName, messages: Ready['messages'], ordinal: number): Promise<SendResult> => {
    const channel = channels.get(name);
    const results = await Promise.all(
      messages.map(async ({ lookup, message }) => {
        const result = channel ? await channel.send(message, abort.signal) : unavailable;
        if (!result.ok && result.addressGone) await forget(lookup, ordinal);
        return result;
      }),
    );
    const rank = (one: SendResult): number => (one.ok ? 0 : { throttled: 1, transient: 1, permanent: 2 }[one.kind]);
    return results.sort((a, b) => rank(a) - rank(b))[0] ?? unavailable;
  };

  const forget = async (lookup: string, ordinal: number): Promise<void> => {
    try {
      await stores.addresses.remove(lookup, ordinal);
    } catch (error) {
      log.warn({ error }, 'an address that is gone could not be removed; the next push finds it again');
    }
  };

  const queueOf = (job: Job): Job[] | undefined =>
    queues.get(job.ready.departure.key.channel)?.[job.sender.lane === 'emergency' ? 'urgent' : 'other'];

  return {
    /** Queues rows; answers those that did not leave, once all are durable or given back. */
    submit: async (rows: Ready[], sender: Sender): Promise<Unsent[]> => {
      const settled = rows.map(
        (ready) =>
          new Promise<Unsent | null>((resolve) => {
            const job = { ready, sender, resolve };
            const queue = queueOf(job);
            if (queue) queue.push(job);
            else resolve({ ready, why: 'stale' });
          }),
      );
      wake();
      return (await Promise.all(settled)).filter((one) => one !== null);
    },
    /** Gives back whatever has not left yet; what is in flight is still waited for and recorded. */
    drain: (): void => {
      draining = true;
      wake();
    },
    /** Aborts sends that hang; their outcomes are still recorded. */
    abort: (): void => abort.abort(),
  };
};

export type Dispatcher = ReturnType<typeof makeDispatcher>;

const unavailable: SendResult = {
  ok: false,
  provider: 'none',
  kind: 'permanent',
  reason: 'no-channel',
  detail: 'this channel is not configured',
};

/** Waits for all, then throws the first failure: nothing goes on behind the caller's back. */
const all = async (parts: Promise<unknown>[]): Promise<void> => {
  for (const part of await Promise.allSettled(parts)) if (part.status === 'rejected') throw part.reason;
};

/** Runs a write under a lease; answers true if the lease was lost. */
const unlessLost = async (work: () => Promise<void>): Promise<boolean> => {
  try {
    await work();
    return false;
  } catch (error) {
    if (error instanceof LeaseLost) return true;
    throw error;
  }
};

const byLease = <T>(list: T[], leaseOf: (one: T) => Lease): [Lease, T[]][] => {
  const groups = new Map<string, [Lease, T[]]>();
  for (const one of list) {
    const lease = leaseOf(one);
    const key = `${lease.batch} ${lease.token}`;
    const group = groups.get(key) ?? [lease, []];
    group[1].push(one);
    groups.set(key, group);
  }
  return [...groups.values()];
};
