import type { mongo } from 'mongoose';
import { digestCodes, isDigest } from '../../../fanout/digest/digest-id.ts';
import type { LedgerStore } from '../../../fanout/ledger-store.ts';
import { type DeliveryState, lanes, rankOf } from '../../../fanout/push.ts';
import { toBatchDocument } from '../push-documents.ts';
import { slices } from '../writes.ts';
import { type DeliveryDocument, noticeStates, openStates, ranks, rowId, toKey } from './documents.ts';
import type { LedgerTables } from './tables.ts';

/** After this long rows that are held by a batch which is not there were gathered by a process that died. */
const abandonedMs = 60_000;
const rowsInOneWrite = 1_000;
/** Rows that are due again at some time in the lane of their push. */
const waiting = rankOf('deferred');

/** The verbs that sweep over many rows: gathering what is due, ending a push's open rows, redriving failed ones. */
export const ledgerSweeps = (
  tables: LedgerTables,
): Pick<LedgerStore, 'gatherDue' | 'gatherDigests' | 'hastenDigests' | 'endOpen' | 'redrive'> => {
  const { deliveries, notices, messages, pushes, batches } = tables;

  /** Due rows of the most urgent lane that has any. */
  const dueRows = async (now: number, limit: number): Promise<DeliveryDocument[]> => {
    const resting = await pushes
      .find({ state: { $in: ['paused', 'cancelled'] }, finishedAt: null }, { projection: { _id: 1 } })
      .toArray();
    for (const lane of lanes.keys()) {
      const rows = await deliveries
        .find({
          state: waiting,
          holder: null,
          lane,
          dueAt: { $ne: null, $lte: now },
          push: { $nin: resting.map((push) => push._id) },
        })
        .sort({ dueAt: 1 })
        .limit(limit)
        .toArray();
      if (rows.length > 0) return rows;
    }
    return [];
  };

  /** Frees the rows of gatherers that died between their two writes; answers how many. */
  const freeAbandoned = async (now: number): Promise<number> => {
    const held = {
      state: { $in: ranks(['deferred', 'digested']) },
      holder: { $ne: null },
      heldAt: { $ne: null, $lte: now - abandonedMs },
    };
    const holders = (await deliveries.distinct('holder', held)).filter((holder) => holder !== null);
    const there = await batches.find({ _id: { $in: holders } }, { projection: { _id: 1 } }).toArray();
    const gone = holders.filter((holder) => !there.some((batch) => batch._id === holder));
    if (gone.length === 0) return 0;
    const freed = await deliveries.updateMany({ ...held, holder: { $in: gone } }, { $set: { holder: null } });
    return freed.modifiedCount;
  };

  const endPart = async (
    push: string,
    rows: DeliveryDocument[],
    to: DeliveryState,
    code: string,
    at: number,
  ): Promise<void> => {
    const ids = rows.map((row) => row._id);
    const ordinals = rows.map((row) => row.ordinal);
    // notices first: were they last, a crash would leave them with a push that no longer comes back for them
    await notices.deleteMany({ owner: push, ordinal: { $in: ordinals }, state: noticeStates.pending });
    await notices.deleteMany({ owner: push, state: noticeStates.sending, row: { $in: ids } });
    await tables.soiling(rows, () =>
      deliveries.updateMany(
        { _id: { $in: ids }, state: { $in: ranks(openStates) } },
        { $set: { state: rankOf(to), code, dueAt: null, holder: null, at } },
      ),
    );
  };

  /** The same for rows that wait for a digest: those of people who have a due one among the first, and all that is due of them. */
  const gatherDigests: LedgerStore['gatherDigests'] = async (id, now, limit) => {
    for (;;) {
      const due = { state: rankOf('digested'), holder: null, dueAt: { $ne: null, $lte: now } };
      const first = await deliveries
        .find(due, { projection: { ordinal: 1 } })
        .sort({ dueAt: 1 })
        .limit(limit)
        .toArray();
      if (first.length === 0) {
        if ((await freeAbandoned(now)) === 0) return null;
        continue;
      }
      const people = [...new Set(first.map((row) => row.ordinal))];
      await deliveries.updateMany({ ...due, ordinal: { $in: people } }, { $set: { holder: id, heldAt: now } });
      const mine = await deliveries.find({ holder: id, ordinal: { $in: people } }).toArray();
      if (mine.length === 0) continue;
      const batch = {
        id,
        kind: 'due' as const,
        push: null,
        lane: 'digest' as const,
        ordinals: [],
        rows: mine.map(toKey),
      };
      await batches.insertOne(toBatchDocument(batch, now));
      return { rows: mine.length };
    }
  };

  const failedMessages = async (ids: string[], of: string | undefined): Promise<DeliveryDocument[]> => {
    const rows: DeliveryDocument[] = [];
    for (const part of slices(ids, rowsInOneWrite)) {
      const found = await messages.find({ _id: { $in: part } }).toArray();
      const ids = found.flatMap(({ push, ordinal, channel, rows }) =>
        push === null ? (rows ?? []) : [rowId({ push, ordinal, channel })],
      );
      const failed = await deliveries.find({ _id: { $in: ids }, state: rankOf('failed') }).toArray();
      rows.push(...failed.filter((row) => of === undefined || row.push === of));
    }
    return rows;
  };

  const failedRows = async ({ push, messages: ids }: { push?: string; messages?: string[] }) => {
    const rows =
      push !== undefined && ids === undefined
        ? await deliveries.find({ push, state: rankOf('failed') }).toArray()
        : await failedMessages(ids ?? [], push);
    const named = [...new Set(rows.map((row) => row.push))];
    const over = await pushes.find({ _id: { $in: named }, state: 'cancelled' }, { projection: { _id: 1 } }).toArray();
    return rows.filter((row) => !over.some((one) => one._id === row.push));
  };

  /**
   * Gathers by claiming rows first, by their holder, and writing the batch of those it got then. A crash between leaves rows
   * whose holder does not exist, which a later gather frees; the other order would let a worker close the batch before its
   * rows are claimed.
   */
  const gatherDue: LedgerStore['gatherDue'] = async (id, now, limit) => {
    for (;;) {
      const due = await dueRows(now, limit);
      if (due.length === 0) {
        if ((await freeAbandoned(now)) === 0) return null;
        continue;
      }
      const free: mongo.Filter<DeliveryDocument> = {
        _id: { $in: due.map((row) => row._id) },
        state: waiting,
        holder: null,
        dueAt: { $ne: null, $lte: now },
      };
      await deliveries.updateMany(free, { $set: { state: rankOf('deferred'), holder: id, heldAt: now } });
      const mine = await deliveries.find({ _id: { $in: due.map((row) => row._id) }, holder: id }).toArray();
      // another gatherer was first: what is due is looked up again
      if (mine.length === 0) continue;
      const lane = lanes[mine[0]?.lane ?? 0] ?? 'bulk';
      await batches.insertOne(
        toBatchDocument({ id, kind: 'due', push: null, lane, ordinals: [], rows: mine.map(toKey) }, now),
      );
      return { lane, rows: mine.length };
    }
  };

  return {
    gatherDue,
    gatherDigests,
    hastenDigests: async (ordinals, now) => {
      let hastened = 0;
      for (const part of slices(ordinals, rowsInOneWrite)) {
        const waits = { state: rankOf('digested'), holder: null, dueAt: { $gt: now }, code: { $in: [...digestCodes] } };
        hastened += (await deliveries.updateMany({ ...waits, ordinal: { $in: part } }, { $set: { dueAt: now } }))
          .modifiedCount;
      }
      return hastened;
    },
    endOpen: async (push, to, code, at) => {
      const people = new Set<number>();
      // wherever they stand: after a merge, under another ordinal than their row
      await notices.deleteMany({ owner: push, state: noticeStates.pending });
      for (;;) {
        const rows = await deliveries
          .find({ push, state: { $in: ranks(openStates) } })
          .sort({ ordinal: 1 })
          .limit(rowsInOneWrite)
          .toArray();
        if (rows.length === 0) return people.size;
        await endPart(push, rows, to, code, at);
        for (const row of rows) people.add(row.ordinal);
      }
    },
    redrive: async (which, at) => {
      let redriven = 0;
      for (const part of slices(await failedRows(which), rowsInOneWrite)) {
        const again = async (state: DeliveryState, some: DeliveryDocument[]): Promise<number> => {
          const moved = await deliveries.updateMany(
            { _id: { $in: some.map((row) => row._id) }, state: rankOf('failed') },
            { $set: { state: rankOf(state), code: 'redriven', dueAt: at, attempts: 0, holder: null, at } },
          );
          return moved.modifiedCount;
        };
        const digests = part.filter((row) => isDigest(row.message));
        const others = part.filter((row) => !isDigest(row.message));
        redriven += await tables.soiling(
          part,
          async () => (await again('deferred', others)) + (await again('digested', digests)),
        );
      }
      return redriven;
    },
  };
};
