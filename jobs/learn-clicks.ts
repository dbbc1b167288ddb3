import type { Job } from './job.ts';

/** Tells profiles of clicks once it is certain that a person made them. */
export const learnClicks: Job = {
  name: 'learn-clicks',
  schedule: '45 * * * * *',
  run: async ({ feedback }, signal) => {
    await feedback.learnClicks(signal);
  },
};
