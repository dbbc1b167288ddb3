import { type Stop, stoppable } from './deadline.ts';

/** At most `size` holders at once; the others wait in order. */
export type Semaphore = {
  /** Rejects with the stop's reason when that comes first. */
  take(stop: Stop): Promise<void>;
  give(): void;
  isFull(): boolean;
};

export const makeSemaphore = (size: number): Semaphore => {
  let free = size;
  const waiting = new Set<() => void>();

  const wait = async (stop: Stop): Promise<void> => {
    let admit: () => void = () => undefined;
    try {
      await stoppable<void>(stop, (resolve) => {
        admit = resolve;
        waiting.add(admit);
      });
    } catch (error) {
      // admitted and stopped in one breath: the turn goes to the next
      if (!waiting.delete(admit)) give();
      throw error;
    }
  };

  const give = (): void => {
    for (const next of waiting) {
      waiting.delete(next);
      next();
      return;
    }
    free += 1;
  };

  return {
    take: (stop) => {
      const reason = stop.reason();
      if (reason) return Promise.reject(reason);
      if (free === 0) return wait(stop);
      free -= 1;
      return Promise.resolve();
    },
    give,
    isFull: () => free === 0,
  };
};
