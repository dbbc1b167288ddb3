import { composeCommand } from '../src/compose.ts';
import { readConfig } from '../src/config.ts';
import { realEdges } from '../src/edges.ts';
import { makeLog } from '../src/log.ts';

/**
 * `npm run counters:rebuild`: counts everything anew from the ledger, the counts of pushes and those of reports, in the store
 * that the environment names. The service may be running; doing it twice changes nothing.
 */
const stop = new AbortController();
process.once('SIGINT', () => stop.abort());

const { services, close } = await composeCommand(readConfig(process.env), { edges: realEdges, log: makeLog('warn') });
try {
  const batches = await services.reportCounter.rebuild(stop.signal);
  process.stdout.write(`${batches} batches counted${stop.signal.aborted ? '; stopped before the end' : ''}\n`);
} finally {
  await close();
}
