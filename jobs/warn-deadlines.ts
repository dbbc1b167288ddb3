import type { Job } from './job.ts';

/** Tells staff of time limits that end soon, in office hours, once each; by the calendar as it is now. */
export const warnDeadlines: Job = {
  name: 'warn-deadlines',
  schedule: '0 11 * * * *',
  run: async ({ applications, warnDeadlines: warn }) => {
    await applications.redate();
    await warn();
  },
};
