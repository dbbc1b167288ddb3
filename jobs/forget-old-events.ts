import type { Job } from './job.ts';

/** Deletes browsing events that are older than 90 days; what was concluded from them stays in the profiles. */
export const forgetOldEvents: Job = {
  name: 'forget-old-events',
  schedule: '0 41 * * * *',
  run: async ({ browsing }, signal) => {
    await browsing.forgetOld(signal);
  },
};
