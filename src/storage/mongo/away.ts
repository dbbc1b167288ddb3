import { mongo } from 'mongoose';
import { AppError } from '../../errors.ts';

const retryAfterSeconds = 5;

/** What servers answer that are stopping, or are not the primary any more (MongoDB's error codes). */
const steppingDown = new Set([7, 91, 189, 10107, 11600, 11602, 13435, 13436]);

/** What a socket says that the other side has closed: the driver lets it through where it writes before it has heard of the end. */
const brokenSocket = new Set(['EPIPE', 'ECONNRESET', 'ECONNREFUSED', 'ETIMEDOUT', 'ERR_STREAM_DESTROYED']);

/**
 * Whatever stops a bulk write (a lost connection, no server) comes as a server's error of that write. A server gives its errors a
 * number, for the whole or for single writes.
 */
const isStoppedBulk = (error: mongo.MongoServerError): boolean =>
  error instanceof mongo.MongoBulkWriteError &&
  typeof error.code !== 'number' &&
  [error.writeErrors].flat().length === 0;

/** What the driver throws that is neither the server's answer nor a misuse of the driver is about the way to the server. */
const isAway = (error: unknown): error is Error => {
  if (error instanceof mongo.MongoServerError) return steppingDown.has(Number(error.code)) || isStoppedBulk(error);
  if (error instanceof mongo.MongoNotConnectedError) return true;
  if (error instanceof mongo.MongoError) return !(error instanceof mongo.MongoAPIError);
  return error instanceof Error && brokenSocket.has(String((error as NodeJS.ErrnoException).code));
};

const away = (cause: Error): AppError =>
  // the log says where it was looked for; whoever asked is not told
  Object.assign(new AppError('store-unavailable', 'the database does not answer', { retryAfterSeconds }), { cause });

/** Longer than any verb takes: a command that was written to a socket as the server closed it is waited for for ever by driver 7.8. */
const verbMs = 60_000;

/** Answers what the work answers; throws `store-unavailable` where the server was lost, is not found, or answers nothing. */
export const orUnavailable = async <T>(work: () => Promise<T>, patienceMs = verbMs): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(away(new Error(`no answer within ${patienceMs} ms`))), patienceMs);
  });
  try {
    return await Promise.race([work(), silence]);
  } catch (error) {
    throw isAway(error) ? away(error) : error;
  } finally {
    clearTimeout(timer);
  }
};

type Verb = (...args: unknown[]) => Promise<unknown>;

/** The same store, whose verbs throw `store-unavailable` while the server is away. */
export const sayingAway = <S extends object>(store: S): S => {
  const verbs = Object.entries(store).map(([name, verb]) => [
    name,
    typeof verb === 'function' ? (...args: unknown[]) => orUnavailable(() => (verb as Verb)(...args)) : verb,
  ]);
  return Object.fromEntries(verbs) as S;
};
