import type { Job } from './job.ts';

const dayMs = 86_400_000;

/** Deletes sign-ups that nobody confirmed, staff sessions that are over, and answers kept for Idempotency-Keys (api: 24 hours). */
export const forgetExpired: Job = {
  name: 'forget-expired',
  schedule: '0 17 * * * *',
  run: async ({ stores, edges }) => {
    const now = edges.now();
    await stores.signUps.deleteExpired(now - dayMs);
    await stores.access.deleteCallsBefore(now - dayMs);
    await stores.staffSignIns.forgetBefore(now - dayMs);
  },
};
