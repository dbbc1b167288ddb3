import type { Job } from './job.ts';

/** Posts the letters and writes the pushes that a process left which died right after an application or opinion had changed. */
export const settleOwed: Job = {
  name: 'settle-owed',
  schedule: '*/20 * * * * *',
  run: async ({ applications, opinions }) => {
    const swept = await Promise.allSettled([applications.settleOwed(), opinions.settleOwed()]);
    for (const one of swept) if (one.status === 'rejected') throw one.reason;
  },
};
