import type { Job } from './job.ts';

/** Polls the feeds of other offices that are due. */
export const pollSources: Job = {
  name: 'poll-sources',
  schedule: '*/10 * * * * *',
  run: async ({ sources }, signal) => {
    await sources.pollDue(signal);
  },
};
