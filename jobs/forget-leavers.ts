import type { Job } from './job.ts';

/** Erases those who asked to be forgotten a week ago and did not take it back. */
export const forgetLeavers: Job = {
  name: 'forget-leavers',
  schedule: '0 29 * * * *',
  run: async ({ subscriptions }, signal) => {
    await subscriptions.leaving.eraseLeavers(signal);
  },
};
