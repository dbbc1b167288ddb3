import { AppError } from '../src/errors.ts';
import { systemActor } from '../src/services.ts';
import type { Job } from './job.ts';

/** Publishes approved items whose time has come. One that cannot be published does not stop the others. */
export const publishScheduled: Job = {
  name: 'publish-scheduled',
  schedule: '*/5 * * * * *',
  run: async ({ publishing, fanout, edges, log }, signal) => {
    for (const item of await publishing.due(edges.now())) {
      if (signal.aborted) return;
      try {
        await fanout.publish(item.id, systemActor);
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        log.warn({ error, item: item.id }, 'a scheduled item could not be published');
      }
    }
  },
};
