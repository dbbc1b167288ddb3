import type { Job } from './job.ts';

/** Deletes what came back more than 30 days ago: from then on it counts against no address. */
export const forgetOldReturns: Job = {
  name: 'forget-old-returns',
  schedule: '0 37 * * * *',
  run: ({ returns }) => returns.forgetOld(),
};
