import type { Channel, SendResult } from '../../channels/channel.ts';
import type { Edges } from '../../edges.ts';
import type { Log } from '../../log.ts';
import type { Storage } from '../../storage/storage.ts';
import type { ChannelName } from '../../subscriptions/follow.ts';
import { isDigest } from '../digest/digest-id.ts';
import type { Delivery, Departure, Lease, Outcome } from '../ledger-store.ts';
import type { Lane } from '../push.ts';
import { attemptOf, noLaterThan, stateAfter } from '../retry.ts';
import type { HeldLease } from './lease.ts';
import { type AddressedMessage, makeSendToAll, type OnRefusal } from './send-to-all.ts';

/** A row that leaves: what the ledger must know of it. */
export type LeavingRow = {
  departure: Departure;
  attempts: number;
  item: { id: string; version: number; revision: number; deadline: string | undefined; expiresAt: string | undefined };
  /** The row that follows if this channel fails for good, or null. */
  successor: (at: number) => Delivery | null;
  /** The row that follows if it was not seen for a while, or null. */
  fallback: (at: number) => Delivery | null;
};

/**
 * A row ready to leave, with one outgoing message for each address (web push: endpoints). `others`: rows that leave as the
 * same message, which goes only if all of them may.
 */
export type Ready = LeavingRow & { messages: AddressedMessage[]; others?: LeavingRow[] };

const rowsOf = (ready: Ready): LeavingRow[] => [ready, ...(ready.others ?? [])];

/** What a submitter gives along: its lease, how fresh it is, and the lane. */
export type Sender = { lease: Lease; held: HeldLease; lane: Lane };

/** Why rows came back unsent: `stale` the item or the push has moved on (settle them anew), `lost` the lease is gone. */
export type Unsent = { ready: Ready; why: 'stale' | 'lost' };

type Job = { ready: Ready; sender: Sender; resolve: (unsent: Unsent | null) => void };
type Done = { job: Job; outcomes: Outcome[] };

export type DispatcherStores = Pick<Storage, 'ledger' | 'pushes' | 'items' | 'addresses'>;
export type DispatcherTools = {
  channels: ReadonlyMap<ChannelName, Channel>;
  edges: Edges;
  log: Log;
  groupMs?: number;
  refused?: OnRefusal;
};

/**
 * Sends with bounded slots. A slot is taken by a durable write and freed only when its outcome is durable, so the slots taken
 * are the messages in flight, and nothing else can go out twice after a kill. Writes of many slots go in one group commit.
 */
export const makeDispatcher = (stores: DispatcherStores, tools: DispatcherTools) => {
  const { channels, edges, log } = tools;
  const groupMs = tools.groupMs ?? 18;
  const queues = new Map(
    [...channels.keys()].map((name) => [name, { urgent: [] as Job[], other: [] as Job[], taken: 0 }]),
  );
  const done: Done[] = [];
  const abort = new AbortController();
  const sendToAll = makeSendToAll(stores, { channels, log, signal: abort.signal, refused: tools.refused });
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
      await turn();
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

  /** The next jobs of a channel for its free slots; a quarter of all slots is kept for emergencies. */
  const next = (name: ChannelName, slots: number): Job[] => {
    const queue = queues.get(name);
    if (!queue) return [];
    const urgent = queue.urgent.splice(0, Math.max(0, slots));
    const reserved = Math.floor(limit(name) / 4);
    const other = queue.other.splice(0, Math.max(0, slots - urgent.length - reserved));
    return [...urgent, ...other];
  };

  /**
   * One group commit: what has come to an end is recorded, and its slots are taken anew in the same write, so that at no
   * moment more messages are in flight than there are slots.
   */
  const turn = async (): Promise<void> => {
    const ended = [...done];
    const freed = (name: ChannelName): number =>
      ended.filter((one) => one.job.ready.departure.key.channel === name).length;
    const wanted = [...queues.keys()].flatMap((name) => next(name, free(name) + freed(name)));
    if (ended.length + wanted.length === 0) return;
    await orGiveBack(wanted, exchange(ended, wanted));
  };

  /** Jobs that have not left because the store refused go back to the head of their queues. */
  const orGiveBack = async (jobs: Job[], work: Promise<void>): Promise<void> => {
    try {
      await work;
    } catch (error) {
      for (const job of [...jobs].reverse()) queueOf(job)?.unshift(job);
      throw error;
    }
  };

  const exchange = async (ended: Done[], wanted: Job[]): Promise<void> => {
    const current = await stillCurrent(wanted);
    const mayGo = (job: Job): boolean => !draining && job.sender.held.fresh();
    const stale = wanted.filter((job) => !current(job));
    const held = wanted.filter((job) => current(job) && !mayGo(job));
    const going = wanted.filter((job) => current(job) && mayGo(job));
    const turns = byLease(ended, going);
    const answers = await stores.ledger.exchange(
      turns.map((one) => ({
        lease: one.lease,
        outcomes: one.ended.flatMap(({ outcomes }) => outcomes),
        departures: one.going.flatMap(({ ready }) => rowsOf(ready).map((row) => row.departure)),
      })),
      edges.now(),
    );
    for (const job of stale) job.resolve({ ready: job.ready, why: 'stale' });
    for (const job of held) job.resolve({ ready: job.ready, why: 'lost' });
    for (const [index, one] of turns.entries()) {
      const left = answers[index] ?? null;
      for (const end of one.ended) settled(end, left === null);
      // the write itself may have waited long: a row that is marked but not sent is the next holder's to send
      let from = 0;
      for (const job of one.going) {
        const count = 1 + (job.ready.others?.length ?? 0);
        const gone = left?.slice(from, from + count) ?? [];
        from += count;
        if (left === null || !mayGo(job)) job.resolve({ ready: job.ready, why: 'lost' });
        else if (gone.every(Boolean)) depart(job);
        else job.resolve({ ready: job.ready, why: 'stale' });
      }
    }
  };

  const settled = (end: Done, lost: boolean): void => {
    done.splice(done.indexOf(end), 1);
    const queue = queues.get(end.job.ready.departure.key.channel);
    if (queue) queue.taken -= 1;
    end.job.resolve(lost ? { ready: end.job.ready, why: 'lost' } : null);
  };

  const depart = (job: Job): void => {
    const queue = queues.get(job.ready.departure.key.channel);
    if (queue) queue.taken += 1;
    void send(job);
  };

  /** Before each send: is the item's version still the newest, and is the push still running? One read for all. */
  const stillCurrent = async (jobs: Job[]): Promise<(job: Job) => boolean> => {
    if (jobs.length === 0) return () => false;
    const rows = jobs.flatMap(({ ready }) => rowsOf(ready));
    const heads = await stores.items.heads([...new Set(rows.map((row) => row.item.id))]);
    const pushes = [...new Set(rows.map((row) => row.departure.key.push))];
    const states = new Map(
      await Promise.all(pushes.map(async (id) => [id, (await stores.pushes.get(id))?.state] as const)),
    );
    const isCurrent = ({ item, departure }: LeavingRow): boolean => {
      const head = heads.get(item.id);
      const state = states.get(departure.key.push);
      const same = head?.version === item.version && head.revision === item.revision;
      return same && (state === 'running' || state === 'done');
    };
    return ({ ready }) => rowsOf(ready).every(isCurrent);
  };

  const send = async (job: Job): Promise<void> => {
    const { departure, messages } = job.ready;
    const result = await sendToAll(departure.key.channel, messages, departure.notice.ordinal);
    const at = edges.now();
    done.push({
      job,
      outcomes: rowsOf(job.ready).map((row) => outcomeOf(row, result, at, edges.random, job.sender.lane)),
    });
    wake();
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

/** What a result means for a row; one of a digest waits for its next try as it waited before. */
const outcomeOf = (row: LeavingRow, result: SendResult, at: number, random: () => number, lane: Lane): Outcome => {
  const { key, notice, message } = row.departure;
  const { deadline, expiresAt } = row.item;
  const urge = { urgent: lane === 'emergency', until: deadline ?? expiresAt };
  const after = noLaterThan(stateAfter(result, row.attempts, at, random, urge), expiresAt);
  const to = after.state === 'deferred' && isDigest(message) ? { ...after, state: 'digested' as const } : after;
  return { key, notice, message, attempt: attemptOf(result, at), to, next: nextOf(row, to.state, at) };
};

const nextOf = (ready: LeavingRow, state: Outcome['to']['state'], at: number): Delivery | null => {
  if (state === 'failed') return ready.successor(at);
  return state === 'sent' ? ready.fallback(at) : null;
};

export type Dispatcher = ReturnType<typeof makeDispatcher>;

type Turn = { lease: Lease; ended: Done[]; going: Job[] };

/** What ended and what is to go, by the lease it is written under. */
const byLease = (ended: Done[], going: Job[]): Turn[] => {
  const turns = new Map<string, Turn>();
  const of = ({ lease }: Sender): Turn => {
    const key = `${lease.batch} ${lease.token}`;
    const turn = turns.get(key) ?? { lease, ended: [], going: [] };
    turns.set(key, turn);
    return turn;
  };
  for (const end of ended) of(end.job.sender).ended.push(end);
  for (const job of going) of(job.sender).going.push(job);
  return [...turns.values()];
};
