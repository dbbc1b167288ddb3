import { setImmediate } from 'node:timers/promises';

/**
 * Runs `work` on parts of a list of at most `size`, one after the other, and lets the event loop turn between them: SQLite is
 * synchronous, and a list of 40,000 in one go would hold up everything else.
 */
export const inChunks = async <T, R>(
  list: readonly T[],
  size: number,
  work: (part: T[]) => Promise<R>,
): Promise<R[]> => {
  const results: R[] = [];
  for (let from = 0; from < list.length; from += size) {
    if (from > 0) await setImmediate();
    results.push(await work(list.slice(from, from + size)));
  }
  return results;
};
