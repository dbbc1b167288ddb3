import { onAbort } from './deadline.ts';

/** At most `size` holders at once; the others wait in order. */
export type Semaphore = {
  /** Rejects with the signal's reason when it aborts first. */
  take(signal: AbortSignal): Promise<void>;
  give(): void;
};

export const makeSemaphore = (size: number): Semaphore => {
  let free = size;
  const waiting = new Set<() => void>();

  const wait = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const admitted = () => {
        forget();
        resolve();
      };
      const forget = onAbort(signal, () => {
        waiting.delete(admitted);
        reject(signal.reason);
      });
      waiting.add(admitted);
    });

  return {
    take: (signal) => {
      if (signal.aborted) return Promise.reject(signal.reason);
      if (free === 0) return wait(signal);
      free -= 1;
      return Promise.resolve();
    },
    give: () => {
      for (const next of waiting) {
        waiting.delete(next);
        next();
        return;
      }
      free += 1;
    },
  };
};
