import type { mongo } from 'mongoose';

/** What is asked of a client here: its events, and that it can be closed and connected again. */
export type WatchedClient = Pick<mongo.MongoClient, 'on' | 'close' | 'connect'>;

/**
 * Connects a client anew whose heartbeat has had neither answer nor failure for `patienceMs` (a streamed one may take `awaitedMs` more).
 * Driver 7.8 waits for ever where it writes to a socket that the server is just closing: `write` answers false, and the `drain`
 * that it waits for never comes, so that the server stays unknown after it has long been back. Answers how
 * to stop watching.
 */
export const watchHeartbeats = (
  client: WatchedClient,
  { patienceMs, awaitedMs }: { patienceMs: number; awaitedMs: number },
): (() => void) => {
  const waiting = new Map<string, NodeJS.Timeout>();
  let isStopped = false;

  const ended = (address: string): void => {
    clearTimeout(waiting.get(address));
    waiting.delete(address);
  };
  const watch = (address: string, ms: number): void => {
    ended(address);
    if (isStopped) return;
    const timer = setTimeout(() => void connectAnew(address), ms);
    waiting.set(address, timer.unref());
  };
  const connectAnew = async (address: string): Promise<void> => {
    waiting.delete(address);
    try {
      await client.close();
      if (!isStopped) await client.connect();
    } catch {
      // whoever asks meanwhile is told that the database is away
      watch(address, patienceMs);
    }
  };

  client.on('serverHeartbeatStarted', ({ connectionId, awaited }) =>
    watch(connectionId, awaited ? patienceMs + awaitedMs : patienceMs),
  );
  client.on('serverHeartbeatSucceeded', ({ connectionId }) => ended(connectionId));
  client.on('serverHeartbeatFailed', ({ connectionId }) => ended(connectionId));
  client.on('serverClosed', ({ address }) => ended(address));
  return () => {
    isStopped = true;
    for (const address of waiting.keys()) ended(address);
  };
};
