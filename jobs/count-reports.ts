import type { Job } from './job.ts';

/** Keeps the counters that reports are read from: what changed in the ledger, and what came back. */
export const countReports: Job = {
  name: 'count-reports',
  schedule: '*/5 * * * * *',
  run: async ({ reportCounter }, signal) => {
    await reportCounter.run(signal);
  },
};
