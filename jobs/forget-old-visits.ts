import type { Job } from './job.ts';

/** Deletes visits of links and opens that are older than 90 days; the clicks that they came to stay. */
export const forgetOldVisits: Job = {
  name: 'forget-old-visits',
  schedule: '0 43 * * * *',
  run: async ({ feedback }, signal) => {
    await feedback.forgetOld(signal);
  },
};
