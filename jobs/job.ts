import type { Services } from '../src/services.ts';

/** A job of the cluster: `schedule` in node-cron's form, with seconds. Two runs never overlap. */
export type Job = {
  name: string;
  schedule: string;
  run(services: Services, signal: AbortSignal): Promise<void>;
};
