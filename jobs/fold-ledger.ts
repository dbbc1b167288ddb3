import type { Job } from './job.ts';

/** Lets go of ledger rows older than LEDGER_DAYS, whose counts stay; at an hour at which little is sent. */
export const foldLedger: Job = {
  name: 'fold-ledger',
  schedule: '0 40 2 * * *',
  run: async (services, signal) => {
    await services.foldLedger(signal);
  },
};
