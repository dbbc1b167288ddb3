import type { Job } from './job.ts';

/** Posts the letters and writes the pushes that a process left which died right after an application or opinion had changed. */
export const settleOwed: Job = {
  name: 'settle-owed',
  schedule: '*/20 * * * * *',
  run: async ({ applications, opinions }) => {
    await applications.settleOwed();
    await opinions.settleOwed();
  },
};
