import { closeSync, openSync } from 'node:fs';

/**
 * Makes an empty file, if it is not there, that only this account of the machine reads and writes: SQLite would let everybody read
 * what it makes. What it keeps beside a database (its log) it makes as the database is.
 */
export const makeOwnFile = (path: string): void => {
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch {
    // it is there, or it cannot be made: SQLite opens it next, and says why not
  }
};
