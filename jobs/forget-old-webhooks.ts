import type { Job } from './job.ts';

/** Deletes what webhooks were told more than 30 days ago: from then on it cannot be replayed. */
export const forgetOldWebhooks: Job = {
  name: 'forget-old-webhooks',
  schedule: '0 53 * * * *',
  run: ({ webhooks }) => webhooks.forgetOld(),
};
