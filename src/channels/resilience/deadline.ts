/** The work was given up: its time ran out, or the caller stopped. */
export class StoppedError extends Error {
  readonly code: 'ETIMEDOUT' | 'EABORT';
  constructor(code: 'ETIMEDOUT' | 'EABORT', message: string) {
    super(message);
    this.name = 'StoppedError';
    this.code = code;
  }
}

/** Runs `work` with a signal that aborts, with a `StoppedError` as its reason, after `limitMs` or when `signal` does. */
export const withDeadline = async <T>(
  limitMs: number,
  signal: AbortSignal,
  work: (stop: AbortSignal) => Promise<T>,
): Promise<T> => {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(new StoppedError('ETIMEDOUT', `no answer in ${limitMs} ms`)), limitMs);
  const onAbort = () => stop.abort(new StoppedError('EABORT', 'stopped'));
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await work(stop.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
};

/** A promise over callbacks that rejects with the signal's reason when it aborts first. */
export const stoppable = <T>(
  stop: AbortSignal,
  start: (resolve: (value: T) => void, reject: (error: unknown) => void) => void,
): Promise<T> =>
  new Promise((resolve, reject) => {
    const onStop = () => reject(stop.reason);
    if (stop.aborted) return onStop();
    stop.addEventListener('abort', onStop, { once: true });
    const done = () => stop.removeEventListener('abort', onStop);
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
