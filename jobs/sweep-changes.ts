import type { Job } from './job.ts';

/** Keeps the rows of changes few, and finds people whom a process wrote that died before it told of it. */
export const sweepChanges: Job = {
  name: 'sweep-changes',
  schedule: '30 * * * * *',
  run: async ({ stores, edges, log }) => {
    const people = await stores.audience.sweepChanges(edges.now());
    if (people > 0) log.info({ people }, 'changes that were given up are told again');
  },
};
