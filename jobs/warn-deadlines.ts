import type { Job } from './job.ts';

/** Tells staff of time limits that end soon, in office hours, once each. */
export const warnDeadlines: Job = {
  name: 'warn-deadlines',
  schedule: '0 11 * * * *',
  run: async ({ warnDeadlines: warn }) => {
    await warn();
  },
};
