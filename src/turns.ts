import { setImmediate } from 'node:timers/promises';

/**
 * A connection is accepted in one turn of the event loop, its request read in the next: so many turns lie before each that is
 * given away, and one in which nothing waits costs nothing.
 */
const turnsBetween = 4;

const pause = async (): Promise<void> => {
  for (let turn = 0; turn < turnsBetween; turn++) await setImmediate();
};

let last: Promise<void> = Promise.resolve();

/**
 * Resolves in a turn of the event loop that is given to nobody else, first come first served. Whoever does much in parts of
 * some milliseconds (taking events in, checking them, following changes) waits for one before each part: however many they
 * are, between two parts the process reads and answers what has come.
 */
export const ownTurn = (): Promise<void> => {
  last = last.then(pause);
  return last;
};
