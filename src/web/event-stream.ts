import type { Request, Response } from 'express';
import { onAbort } from '../channels/resilience/deadline.ts';

export type StreamOptions<T> = {
  event: string;
  /** Reads the present state; asked every `everyMs`. Null ends the stream. */
  read(): Promise<T | null>;
  /** Whether nothing more will come after this state. */
  isLast(state: T): boolean;
  everyMs: number;
  /** Ends the stream (the process stops). */
  stopping: AbortSignal;
};

const beatMs = 15_000;

/**
 * Server-sent events (HTML section 9.2): an event whenever the state has changed, a comment now and then so that proxies
 * keep the line open, and an end after the last state.
 */
export const streamState = async <T>(req: Request, res: Response, options: StreamOptions<T>): Promise<void> => {
  const { event, read, isLast, everyMs, stopping } = options;
  res.status(200).set({
    'Content-Type': 'text/event-stream; charset=utf-8',
    'Cache-Control': 'no-store',
    'X-Accel-Buffering': 'no',
  });
  if (req.method === 'HEAD') {
    res.end();
    return;
  }
  res.flushHeaders();
  const gone = new Promise<void>((resolve) => {
    // the signal outlives the stream by weeks, and would keep it
    const forget = onAbort(stopping, resolve);
    res.once('close', () => {
      forget();
      resolve();
    });
  });
  const over = (): boolean => stopping.aborted || res.closed || req.destroyed;

  let said = '';
  let quietMs = 0;
  while (!over()) {
    const state = await read();
    if (state === null) break;
    const data = JSON.stringify(state);
    if (data !== said) {
      res.write(`event: ${event}\ndata: ${data}\n\n`);
      said = data;
      quietMs = 0;
    } else if (quietMs >= beatMs) {
      res.write(': still here\n\n');
      quietMs = 0;
    }
    if (isLast(state)) break;
    quietMs += everyMs;
    await pause(everyMs, gone);
  }
  res.end();
};

const pause = async (ms: number, gone: Promise<void>): Promise<void> => {
  let timer: NodeJS.Timeout | undefined;
  const slept = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([slept, gone]);
  clearTimeout(timer);
};
