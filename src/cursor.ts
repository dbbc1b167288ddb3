import { AppError } from './errors.ts';

/** An opaque cursor: the sort key of the last row of a page. */
export const encodeCursor = (key: (string | number)[]): string =>
  Buffer.from(JSON.stringify(key)).toString('base64url');

const sameShape = (key: unknown, start: (string | number)[]): key is (string | number)[] =>
  Array.isArray(key) &&
  key.length === start.length &&
  key.every((part, at) => typeof part === typeof start[at] && (typeof part === 'string' || Number.isSafeInteger(part)));

/** What a cursor is answered that no list of ours gave out. */
export const notOurCursor = (): AppError =>
  new AppError('invalid', 'The cursor is not one of ours', {
    faults: [{ path: 'cursor', message: 'is not a cursor that this list gave out' }],
  });

/** The key in a cursor; `start` is the key before the first row and gives the shape. Throws `invalid` for anything else. */
export const decodeCursor = <K extends (string | number)[]>(cursor: string | null, start: K): K => {
  if (cursor === null) return start;
  try {
    const key: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (sameShape(key, start)) return key as K;
  } catch {
    // not JSON: the same answer as any other cursor that is not ours
  }
  throw notOurCursor();
};
