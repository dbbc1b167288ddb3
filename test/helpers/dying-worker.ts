import { newId } from '../../src/edges.ts';
import { makeDigestRunner } from '../../src/fanout/digest/digest-runner.ts';
import { lanes } from '../../src/fanout/push.ts';
import { makeBatchRunner } from '../../src/fanout/worker/batch-runner.ts';
import type { Town } from './town.ts';

/**
 * A worker that dies with its messages in flight: it claims the next batch, its rows depart, and nobody hears what became
 * of them. The batch is free again afterwards, as when its lease has run out.
 */
export const dieInFlight = async (town: Town): Promise<void> => {
  const { stores, edges, log, config, parts } = town;
  const token = newId(edges);
  const claim = await stores.pushes.claim(token, [...lanes]);
  if (!claim) throw new Error('there is no batch to die with');
  const dispatcher = {
    ...parts.dispatcher,
    submit: async (...[rows, { lease }]: Parameters<typeof parts.dispatcher.submit>) => {
      const went = await stores.ledger.depart(
        lease,
        rows.flatMap((ready) => [ready, ...(ready.others ?? [])].map((row) => row.departure)),
        edges.now(),
      );
      if (!went.every(Boolean)) throw new Error('a row of the dying worker did not depart');
      throw new Error('the worker dies here');
    },
  };
  const digests = makeDigestRunner({ settler: parts.digestSettler, dispatcher });
  await makeBatchRunner(stores, { ...parts, dispatcher, digests, edges, log, leaseMs: config.leaseMs }).run(
    claim,
    token,
    () => false,
  );
};
