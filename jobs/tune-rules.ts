import type { Job } from './job.ts';

/** Learns from what came back and publishes tomorrow's arms of the tuned rules (design D14). */
export const tuneRules: Job = {
  name: 'tune-rules',
  schedule: '0 20 3 * * *',
  run: async ({ tuneAtNight }, signal) => tuneAtNight(signal),
};
