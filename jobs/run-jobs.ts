import cron from 'node-cron';
import { newId } from '../src/edges.ts';
import { makeLeaseWatch } from '../src/fanout/worker/lease.ts';
import type { Services } from '../src/services.ts';
import type { Job } from './job.ts';

const leaseName = 'jobs';

/**
 * Runs the jobs on their schedules, in one process of the cluster at a time (a lease in the store). Throws for a doubled
 * name. The answer stops them and waits for a run that is under way.
 */
export const runJobs = (jobs: readonly Job[], services: Services, leaseMs: number): (() => Promise<void>) => {
  const names = jobs.map((job) => job.name);
  const doubled = names.find((name, at) => names.indexOf(name) !== at);
  if (doubled) throw new Error(`two jobs are named ${doubled}`);
  const { stores, edges, log } = services;
  const token = newId(edges);
  const stop = new AbortController();
  const running = new Set<Promise<void>>();
  const watch = makeLeaseWatch(edges, leaseMs);
  /** The lease is held until then, by the clock that never jumps: a process that was stopped for longer runs nothing when it wakes. */
  let heldUntil = 0;

  const beat = async (): Promise<void> => {
    const askedAt = edges.monotonic();
    try {
      const hold = await stores.pushes.hold(leaseName, token);
      const [gone] = hold.held ? [] : watch.stale([hold.seen]);
      const held = hold.held || (gone !== undefined && (await stores.pushes.takeOver(gone, token)));
      heldUntil = held ? askedAt + (leaseMs * 2) / 3 : 0;
    } catch (error) {
      log.warn({ error }, 'the lease of the jobs could not be renewed');
    }
  };
  const timer = setInterval(() => void beat(), leaseMs / 4);
  void beat();

  const runOnce = async (job: Job): Promise<void> => {
    if (edges.monotonic() >= heldUntil || stop.signal.aborted) return;
    const run = job
      .run(services, stop.signal)
      .catch((error: unknown) => log.error({ error, job: job.name }, 'a job failed'));
    running.add(run);
    await run;
    running.delete(run);
  };
  const tasks = jobs.map((job) => cron.schedule(job.schedule, () => runOnce(job), { name: job.name, noOverlap: true }));

  return async () => {
    stop.abort();
    clearInterval(timer);
    await Promise.all(tasks.map((task) => task.destroy()));
    await Promise.all(running);
    await stores.pushes.letGo(leaseName, token);
  };
};
