import { setMaxListeners } from 'node:events';

/** The work was given up: its time ran out, or the caller stopped. */
export class StoppedError extends Error {
  readonly code: 'ETIMEDOUT' | 'EABORT';
  constructor(code: 'ETIMEDOUT' | 'EABORT', message: string) {
    super(message);
    this.name = 'StoppedError';
    this.code = code;
  }
}

/** Runs `act` when the signal aborts, at once if it has; answers how to take that back. One signal may stop any number of messages. */
export const onAbort = (signal: AbortSignal, act: () => void): (() => void) => {
  if (signal.aborted) {
    act();
    return () => undefined;
  }
  setMaxListeners(0, signal);
  signal.addEventListener('abort', act, { once: true });
  return () => signal.removeEventListener('abort', act);
};

/** Runs `work` with a signal that aborts, with a `StoppedError` as its reason, after `limitMs` or when `signal` does. */
export const withDeadline = async <T>(
  limitMs: number,
  signal: AbortSignal,
  work: (stop: AbortSignal) => Promise<T>,
): Promise<T> => {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(new StoppedError('ETIMEDOUT', `no answer in ${limitMs} ms`)), limitMs);
  const forget = onAbort(signal, () => stop.abort(new StoppedError('EABORT', 'stopped')));
  try {
    return await work(stop.signal);
  } finally {
    clearTimeout(timer);
    forget();
  }
};

/** A promise over callbacks that rejects with the signal's reason when it aborts first. */
export const stoppable = <T>(
  stop: AbortSignal,
  start: (resolve: (value: T) => void, reject: (error: unknown) => void) => void,
): Promise<T> =>
  new Promise((resolve, reject) => {
    if (stop.aborted) return reject(stop.reason);
    const done = onAbort(stop, () => reject(stop.reason));
    start(
      (value) => {
        done();
        resolve(value);
      },
      (error) => {
        done();
        reject(error);
      },
    );
  });
