import type { Job } from './job.ts';

/** Deletes visits of links and opens once the links of their messages are counted no more; the clicks that they came to stay. */
export const forgetOldVisits: Job = {
  name: 'forget-old-visits',
  schedule: '0 43 * * * *',
  run: async ({ feedback }, signal) => {
    await feedback.forgetOld(signal);
  },
};
