import type { NoticeKey } from '../../../fanout/ledger-store.ts';
import { bulk, slices } from '../writes.ts';
import { noticeId, noticeStates, ranks } from './documents.ts';
import type { LedgerTables } from './tables.ts';

const idsInOneRead = 2_000;

/**
 * A process that dies between the first write of a departure and its last leaves a notice in flight whose row is not
 * (sending.ts). The next departure of that row takes it up; where the row cannot leave any more (it is gone, because it moved
 * to another channel, or it is final), this makes the notice pending again. Answers how many there were.
 */
export const calmStranded = async (
  { notices, deliveries }: Pick<LedgerTables, 'notices' | 'deliveries'>,
  push: string,
  keys: NoticeKey[],
): Promise<number> => {
  let calmed = 0;
  for (const part of slices(keys.map(noticeId), idsInOneRead)) {
    const inFlight = await notices.find({ _id: { $in: part }, owner: push, state: noticeStates.sending }).toArray();
    const named = inFlight.flatMap((notice) => notice.row ?? []);
    if (named.length === 0) continue;
    const ended = ranks(['withheld', 'cancelled', 'failed']);
    const rows = await deliveries.find({ _id: { $in: named }, state: { $nin: ended } }).toArray();
    const alive = new Set(rows.map((row) => row._id));
    const stranded = inFlight.filter(({ row }) => row !== null && !alive.has(row));
    await bulk(
      notices,
      stranded.map(({ _id, row }) => ({
        updateOne: {
          filter: { _id, owner: push, state: noticeStates.sending, row },
          update: { $set: { state: noticeStates.pending, row: null } },
        },
      })),
    );
    calmed += stranded.length;
  }
  return calmed;
};
