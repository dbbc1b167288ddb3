import type { Job } from '../../../jobs/job.ts';
import { runJobs } from '../../../jobs/run-jobs.ts';
import { makeTown, type Town } from '../../helpers/town.ts';

const leaseMs = 1_000;

describe('the jobs', () => {
  let town: Town;
  let stops: (() => Promise<void>)[];
  beforeEach(async () => {
    town = await makeTown();
    stops = [];
  });
  afterEach(async () => {
    for (const stop of stops) await stop();
    await town.close();
  });

  /** Runs a job every second in one process more; `ran` is told which process ran it, and `clock` is that process's own. */
  const start = (process: string, ran: (process: string) => void, clock = town.edges.monotonic) => {
    const job: Job = { name: 'tick', schedule: '* * * * * *', run: async () => ran(process) };
    const stop = runJobs([job], { ...town, edges: { ...town.edges, monotonic: clock } }, leaseMs);
    stops.push(stop);
    return stop;
  };
  const runs = async (count: number, of: string[]): Promise<void> => {
    for (let tries = 0; of.length < count; tries += 1) {
      if (tries > 1_000) throw new Error('waited too long');
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };

  it('run once in the cluster, and in another process when the first has stopped', async () => {
    const ran: string[] = [];
    const note = (process: string) => ran.push(`${process} ${Math.floor(Date.now() / 1_000)}`);
    const processes = ['a', 'b', 'c', 'd'].map((name) => ({ name, stop: start(name, note) }));
    await runs(3, ran);
    expect(new Set(ran.map((one) => one.split(' ')[1])).size).toBe(ran.length);
    const first = String(ran[0]).split(' ')[0];
    expect(new Set(ran.map((one) => one.split(' ')[0]))).toEqual(new Set([first]));
    await processes.find(({ name }) => name === first)?.stop();
    const before = ran.length;
    await runs(before + 2, ran);
    expect(ran.slice(before).some((one) => one.startsWith(`${first} `))).toBe(false);
    expect(new Set(ran.map((one) => one.split(' ')[1])).size).toBe(ran.length);
  });

  it('do not run in a process that was stopped for longer than its lease, when it wakes', async () => {
    const ran: string[] = [];
    let slept = 0;
    // renewals of the sleeper hang, as those of a stopped process do
    const { pushes } = town.stores;
    const asleep = {
      ...town.stores,
      pushes: {
        ...pushes,
        hold: (name: string, token: string) => (slept ? new Promise<never>(() => undefined) : pushes.hold(name, token)),
      },
    };
    const job: Job = { name: 'tick', schedule: '* * * * * *', run: async () => void ran.push('sleeper') };
    stops.push(
      runJobs(
        [job],
        { ...town, stores: asleep, edges: { ...town.edges, monotonic: () => town.edges.monotonic() + slept } },
        leaseMs,
      ),
    );
    await runs(1, ran);
    slept = leaseMs;
    start('other', (name) => void ran.push(name));
    await runs(3, ran);
    expect(ran).toEqual(['sleeper', 'other', 'other']);
  });

  it('are refused with two of one name', () => {
    const job: Job = { name: 'x', schedule: '* * * * * *', run: async () => undefined };
    expect(() => runJobs([job, job], town, leaseMs)).toThrow('two jobs are named x');
  });
});
