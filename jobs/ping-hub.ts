import type { Job } from './job.ts';

/** Tells the WebSub hub which feeds have changed, where there is a hub. */
export const pingHub = (ping: (signal: AbortSignal) => Promise<number>): Job => ({
  name: 'ping-hub',
  schedule: '*/5 * * * * *',
  run: async (_services, signal) => {
    await ping(signal);
  },
});
