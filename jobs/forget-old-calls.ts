import type { Job } from './job.ts';

/** Deletes which calls of WeChat came, once they are too old to be believed again. */
export const forgetOldCalls: Job = {
  name: 'forget-old-calls',
  schedule: '0 47 * * * *',
  run: async ({ wechat }) => wechat?.forgetOld(),
};
