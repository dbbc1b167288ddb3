import type { Lease } from '../ledger-store.ts';
import type { Batch, DeliveryKey } from '../push.ts';
import type { Dispatcher, Ready } from '../worker/dispatcher.ts';
import type { HeldLease } from '../worker/lease.ts';
import type { DigestSettler } from './digest-settler.ts';

/** Rows settled in one go, but for the last person's, who is never divided. */
const chunkSize = 250;
/** After this many rounds people who cannot be settled (rows that keep moving) are left to the next holder. */
const mostRounds = 5;

/** Runs batches of rows that waited for a digest: chunk after chunk, so that no two make the same digest at once. */
export const makeDigestRunner = (tools: {
  settler: Pick<DigestSettler, 'settle'>;
  dispatcher: Pick<Dispatcher, 'submit'>;
}) => {
  const runChunk = async (lease: Lease, held: HeldLease, keys: DeliveryKey[]): Promise<boolean> => {
    let left = keys;
    for (let round = 0; round < mostRounds && left.length > 0; round += 1) {
      const ready = await tools.settler.settle(lease, left);
      const unsent = await tools.dispatcher.submit(ready, { lease, held, lane: 'digest' });
      if (unsent.some((one) => one.why === 'lost')) return false;
      const again = new Set(unsent.flatMap((one) => ordinalsOf(one.ready)));
      left = left.filter((key) => again.has(key.ordinal));
    }
    return left.length === 0;
  };

  return {
    /** Answers false if the batch must be given back: `stopping`, or its lease is lost. */
    run: async (
      lease: Lease,
      held: HeldLease,
      batch: Pick<Batch, 'rows'>,
      stopping: () => boolean,
    ): Promise<boolean> => {
      for (const keys of byPeople(batch.rows)) if (stopping() || !(await runChunk(lease, held, keys))) return false;
      return true;
    },
  };
};

export type DigestRunner = ReturnType<typeof makeDigestRunner>;

const ordinalsOf = (ready: Ready): number[] => [ready, ...(ready.others ?? [])].map((row) => row.departure.key.ordinal);

/** Rows in chunks that divide no person. */
const byPeople = (rows: DeliveryKey[]): DeliveryKey[][] => {
  const people = new Map<number, DeliveryKey[]>();
  for (const row of rows) people.set(row.ordinal, [...(people.get(row.ordinal) ?? []), row]);
  const chunks: DeliveryKey[][] = [];
  for (const own of people.values()) {
    const last = chunks.at(-1);
    if (last && last.length < chunkSize) last.push(...own);
    else chunks.push([...own]);
  }
  return chunks;
};
