import type { Job } from './job.ts';

/** Starts targeted pushes whose time has come. */
export const startPushes: Job = {
  name: 'start-pushes',
  schedule: '*/5 * * * * *',
  run: async ({ pushOrders }) => {
    await pushOrders.startDue();
  },
};
