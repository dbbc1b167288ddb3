import { commandConfig, openCommand } from './command.ts';

/**
 * `npm run counters:rebuild`: counts everything anew from the ledger, the counts of pushes and those of reports, in the store
 * that the environment names. The service may be running; doing it twice changes nothing.
 */
const stop = new AbortController();
process.once('SIGINT', () => stop.abort());

const { services, close } = await openCommand(commandConfig());
try {
  const batches = await services.reportCounter.rebuild(stop.signal);
  process.stdout.write(`${batches} batches counted${stop.signal.aborted ? '; stopped before the end' : ''}\n`);
} finally {
  await close();
}
