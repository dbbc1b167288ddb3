import { makeLru } from '../../lru.ts';
import type { ChannelName } from '../../subscriptions/follow.ts';
import type { Channel, OutgoingMessage, SendResult, SharedContent } from '../channel.ts';
import { onAbort } from '../resilience/deadline.ts';
import { failure } from '../result.ts';
import { contentsNamed, type FromThread, type Job, type ToThread } from './wire.ts';

/** A thread as its owner sees it: a `Worker`, or one end of a `MessageChannel` that is served elsewhere. */
export type Thread = {
  postMessage(message: ToThread): void;
  onAnswers(listener: (answers: FromThread) => void): void;
  /** Calls `listener` once, when the thread has ended for whatever reason. */
  onEnd(listener: () => void): void;
  terminate(): void;
};

export type RemoteChannel = {
  name: ChannelName;
  limits: Channel['limits'];
  /** Starts the thread, which serves the channel by `serveChannel`. */
  start: () => Thread;
  /** How long the thread may take to close its channel before it is ended, in ms. */
  patienceMs?: number;
};

/** Messages that may be stopped together; a group lasts while one of its messages is under way. */
type Group = { no: number; jobs: number; forget: () => void };

/**
 * A channel that works on a thread of its own: composing, signing and the connections cost as much as the ledger does, which
 * has the main thread to itself this way. The thread starts with the first message, and anew should it have died; what was
 * with it then is `transient`. Its breaker and token bucket live with it.
 */
export const makeRemoteChannel = (remote: RemoteChannel): Channel => {
  const waiting = new Map<number, (result: SendResult) => void>();
  const groups = new Map<AbortSignal, Group>();
  let known = makeLru<true>(contentsNamed);
  let thread: Thread | null = null;
  let batch: { contents: SharedContent[]; jobs: Job[] } | null = null;
  let lastNo = 0;
  const ended = failure(remote.name, { kind: 'transient', reason: 'aborted' }, 'the thread of this channel ended');

  const onEnd = (): void => {
    thread = null;
    batch = null;
    known = makeLru<true>(contentsNamed);
    for (const resolve of waiting.values()) resolve(ended);
    waiting.clear();
  };

  const running = (): Thread => {
    if (thread) return thread;
    const started = remote.start();
    started.onAnswers((answers) => {
      for (const { no, result } of answers) {
        waiting.get(no)?.(result);
        waiting.delete(no);
      }
    });
    started.onEnd(onEnd);
    thread = started;
    return started;
  };

  const post = (): void => {
    if (batch) running().postMessage({ kind: 'send', ...batch });
    batch = null;
  };

  /** What is sent in one turn of the loop crosses together. */
  const enqueue = (job: Job, content: SharedContent): void => {
    if (!batch) {
      batch = { contents: [], jobs: [] };
      queueMicrotask(post);
    }
    if (!known.get(content.key)) {
      known.set(content.key, true);
      batch.contents.push(content);
    }
    batch.jobs.push(job);
  };

  const newGroup = (signal: AbortSignal, no: number): Group => {
    const group: Group = { no, jobs: 0, forget: () => undefined };
    groups.set(signal, group);
    group.forget = onAbort(signal, () => {
      post();
      thread?.postMessage({ kind: 'abort', group: no });
    });
    return group;
  };

  const leave = (signal: AbortSignal, group: Group): void => {
    group.jobs -= 1;
    if (group.jobs > 0) return;
    groups.delete(signal);
    group.forget();
  };

  return {
    name: remote.name,
    limits: remote.limits,
    send: ({ id, to, content, slots }: OutgoingMessage, signal) => {
      if (signal.aborted)
        return Promise.resolve(failure(remote.name, { kind: 'transient', reason: 'aborted' }, 'stopped'));
      lastNo += 1;
      const no = lastNo;
      running();
      const group = groups.get(signal) ?? newGroup(signal, no);
      group.jobs += 1;
      return new Promise((resolve) => {
        waiting.set(no, (result) => {
          leave(signal, group);
          resolve(result);
        });
        enqueue({ no, id, to, content: content.key, slots, group: group.no }, content);
      });
    },
    close: async () => {
      const closing = thread;
      if (!closing) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(() => closing.terminate(), remote.patienceMs ?? 2_000);
        closing.onEnd(() => {
          clearTimeout(timer);
          resolve();
        });
        closing.postMessage({ kind: 'close' });
      });
    },
  };
};
