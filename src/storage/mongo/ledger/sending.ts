import type { mongo } from 'mongoose';
import { isDigest } from '../../../fanout/digest/digest-id.ts';
import {
  type Departure,
  type Lease,
  LeaseLost,
  type LedgerStore,
  type Outcome,
  type Turn,
} from '../../../fanout/ledger-store.ts';
import { type DeliveryState, rankOf } from '../../../fanout/push.ts';
import { tells } from '../../../fanout/retry.ts';
import { bulk, insertMissing } from '../writes.ts';
import {
  type DeliveryDocument,
  type MessageDocument,
  type NoticeDocument,
  noticeId,
  noticeStates,
  ranks,
  rowId,
} from './documents.ts';
import { earlyReceipts, recordAttempts } from './messages.ts';
import { calmStranded } from './stranded.ts';
import type { LedgerTables } from './tables.ts';

/**
 * The verbs of what leaves. Without transactions their writes have an order, so that a crash between any two of them is
 * mended when the batch is run again:
 * - departing: the notice (it names the row), the message, the row last. A row in flight has all the rest; a notice or a
 *   message without it is taken up by the next departure of the same row.
 * - settling: the attempt, the successor, the notice, the row last. While the row is in flight its holder comes back to it:
 *   a notice that was told by it says so (notices.ts), anything else is simply sent and settled again.
 */
export const ledgerSending = (tables: LedgerTables): Pick<LedgerStore, 'depart' | 'settle' | 'exchange'> => {
  const { notices, deliveries, messages } = tables;
  const receipts = earlyReceipts(tables);

  /** Moves notices pending -> sending for these rows; answers the departures whose notice is theirs now. */
  const takeNotices = async (all: Departure[]): Promise<Departure[]> => {
    const following = await told(all.filter((one) => one.again));
    const leaving = all.filter((one) => !following.includes(one));
    await bulk(
      notices,
      leaving.map(({ key, notice }) => ({
        updateOne: {
          filter: {
            _id: noticeId(notice),
            owner: key.push,
            $or: [{ state: noticeStates.pending }, { state: noticeStates.sending, row: rowId(key) }],
          },
          update: { $set: { state: noticeStates.sending, row: rowId(key) } },
        },
      })),
    );
    const found = await notices
      .find({ _id: { $in: leaving.map((one) => noticeId(one.notice)) }, state: noticeStates.sending })
      .toArray();
    const rows = new Map(found.map((notice) => [notice._id, notice]));
    return all.filter((one) => {
      const held = rows.get(noticeId(one.notice));
      return following.includes(one) || (held?.owner === one.key.push && held.row === rowId(one.key));
    });
  };

  /** Those that follow a message by which their own push has told the person. */
  const told = async (list: Departure[]): Promise<Departure[]> => {
    if (list.length === 0) return [];
    const ids = list.map((one) => noticeId(one.notice));
    const found = await notices.find({ _id: { $in: ids }, state: noticeStates.told }).toArray();
    const owners = new Map(found.map((notice) => [notice._id, notice.owner]));
    return list.filter((one) => owners.get(noticeId(one.notice)) === one.key.push);
  };

  /** The same for those whose notice a crash has left with a row that cannot leave any more. */
  const takeStranded = async (without: Departure[]): Promise<Departure[]> => {
    let calmed = 0;
    for (const push of new Set(without.map((one) => one.key.push))) {
      const own = without.filter((one) => one.key.push === push);
      calmed += await calmStranded(
        tables,
        push,
        own.map((one) => one.notice),
      );
    }
    return calmed > 0 ? takeNotices(without) : [];
  };

  /** Takes the digests that these rows leave as for the batch; leaves out rows of digests that another batch sends or has sent. */
  const takeDigests = async (lease: Lease, able: Departure[], at: number): Promise<Departure[]> => {
    const rows = able.filter((one) => isDigest(one.message));
    if (rows.length === 0) return able;
    await insertMissing(
      messages,
      rows.map((one) => newMessage(one, at)),
    );
    await bulk(
      messages,
      rows.map(({ message, key }) => ({
        updateOne: {
          filter: { _id: message, $or: [{ holder: null }, { holder: lease.batch }] },
          update: { $set: { holder: lease.batch }, $addToSet: { rows: rowId(key) } },
        },
      })),
    );
    const ids = rows.map((one) => one.message);
    const held = await messages.find({ _id: { $in: ids }, holder: lease.batch }, { projection: { _id: 1 } }).toArray();
    const own = new Set(held.map((message) => message._id));
    return able.filter((one) => !isDigest(one.message) || own.has(one.message));
  };

  /** Moves rows -> sending under the lease; answers the ids of those that are. */
  const takeRows = async (lease: Lease, leaving: Departure[], at: number): Promise<Set<string>> => {
    const change = tables.newChange();
    await bulk(
      deliveries,
      leaving.map(({ key, message, revision }) => ({
        updateOne: {
          filter: { _id: rowId(key), ...mayLeave(lease.batch) },
          update: {
            $set: {
              ...{ state: rankOf('sending'), code: null, dueAt: null, revision, at, message },
              ...{ holder: lease.batch, token: lease.token, change },
            },
          },
        },
      })),
    );
    const ids = leaving.map((one) => rowId(one.key));
    const taken = await deliveries.find({ _id: { $in: ids }, change }, { projection: { _id: 1 } }).toArray();
    return new Set(taken.map((row) => row._id));
  };

  const calm = (list: { notice: Departure['notice']; key: Departure['key'] }[]): Promise<void> =>
    bulk(
      notices,
      list.map(({ notice, key }) => ({
        updateOne: {
          filter: { _id: noticeId(notice), owner: key.push, state: noticeStates.sending, row: rowId(key) },
          update: { $set: { state: noticeStates.pending, row: null } },
        },
      })),
    );

  const departAll = async (lease: Lease, departures: Departure[], at: number): Promise<boolean[]> => {
    const rows = await tables.rowsById(departures.map((one) => rowId(one.key)));
    const able = await takeDigests(
      lease,
      departures.filter((one) => isAble(rows.get(rowId(one.key)), lease.batch)),
      at,
    );
    const leaving = await takeNotices(able);
    leaving.push(...(await takeStranded(able.filter((one) => !leaving.includes(one)))));
    await insertMissing(
      messages,
      leaving.map((one) => newMessage(one, at)),
    );
    const taken = await takeRows(lease, leaving, at);
    await calm(leaving.filter((one) => !taken.has(rowId(one.key))));
    // lost between the first guard and the writes: the next holder sends these rows, and this one must not
    await tables.guard(lease);
    return departures.map((one) => taken.has(rowId(one.key)));
  };

  const settleAll = async (lease: Lease, reported: Outcome[]): Promise<void> => {
    const outcomes = await receipts.judged(reported);
    const rows = await tables.rowsById(outcomes.map((one) => rowId(one.key)));
    const inFlight = outcomes.filter((one) => rows.get(rowId(one.key))?.state === rankOf('sending'));
    await recordAttempts(messages, outcomes);
    await insertMissing(deliveries, await tables.documentsOf(inFlight.flatMap((one) => one.next ?? [])));
    await bulk(
      notices,
      outcomes
        .filter((one) => isTold(one))
        .map(({ key, notice }) => ({
          updateOne: {
            filter: { _id: noticeId(notice), owner: key.push, state: { $lt: noticeStates.told } },
            update: { $set: { state: noticeStates.told, channel: key.channel, row: rowId(key) } },
          },
        })),
    );
    await bulk(notices, inFlight.filter(isOver).map(freeNotice));
    await calm(inFlight.filter((one) => !isTold(one) && !isOver(one)));
    await bulk(
      deliveries,
      outcomes.map((one) => settleRow(lease, one)),
    );
    const back = outcomes.filter((one) => isDigest(one.message) && !isTold(one)).map((one) => one.message);
    if (back.length > 0)
      await messages.updateMany({ _id: { $in: back }, holder: lease.batch }, { $set: { holder: null } });
    await receipts.settled(outcomes.map((one) => ({ row: rowId(one.key), message: one.message })));
  };

  const depart: LedgerStore['depart'] = async (lease, departures, at) => {
    const foreign = await tables.guard(lease);
    const work = (): Promise<boolean[]> => departAll(lease, departures, at);
    return foreign
      ? tables.soiling(
          departures.map((one) => one.key),
          work,
        )
      : work();
  };

  const settle: LedgerStore['settle'] = async (lease, outcomes) => {
    const foreign = await tables.guard(lease);
    const work = (): Promise<void> => settleAll(lease, outcomes);
    await (foreign
      ? tables.soiling(
          outcomes.map((one) => one.key),
          work,
        )
      : work());
  };

  const turn = async ({ lease, outcomes, departures }: Turn, at: number): Promise<boolean[] | null> => {
    try {
      if (outcomes.length > 0) await settle(lease, outcomes);
      return await depart(lease, departures, at);
    } catch (error) {
      if (error instanceof LeaseLost) return null;
      throw error;
    }
  };

  return {
    depart,
    settle,
    exchange: (turns, at) => Promise.all(turns.map((one) => turn(one, at))),
  };
};

const held: DeliveryState[] = ['deferred', 'digested', 'sending'];

/** Rows that may leave under a batch: planned ones, those it gathered, and those that were in flight under it. */
const mayLeave = (batch: string): mongo.Filter<DeliveryDocument> => ({
  $or: [{ state: rankOf('planned') }, { state: { $in: ranks(held) }, holder: batch }],
});

const isAble = (row: DeliveryDocument | undefined, batch: string): boolean => {
  if (!row) return false;
  if (row.state === rankOf('planned')) return true;
  return row.holder === batch && ranks(held).includes(row.state);
};

const isTold = ({ to }: Outcome): boolean => tells(to.state);
/** Failed with no channel left, or waiting for the next digest: somebody else may tell this person. */
const isOver = ({ to, next }: Outcome): boolean => (to.state === 'failed' && next === null) || to.state === 'digested';

const freeNotice = ({ key, notice }: Outcome): mongo.AnyBulkWriteOperation<NoticeDocument> => ({
  deleteOne: { filter: { _id: noticeId(notice), owner: key.push, state: { $lt: noticeStates.told } } },
});

const settleRow = (lease: Lease, { key, to, attempt }: Outcome): mongo.AnyBulkWriteOperation<DeliveryDocument> => ({
  updateOne: {
    filter: { _id: rowId(key), state: rankOf('sending'), holder: lease.batch },
    update: {
      $set: {
        ...{ state: rankOf(to.state), code: to.code, dueAt: to.dueAt, attempts: to.attempts, at: attempt.at },
        ...{ holder: null, token: null },
      },
    },
  },
});

const newMessage = ({ key, notice, message, template }: Departure, createdAt: number): MessageDocument => ({
  _id: message,
  ...(isDigest(message)
    ? { kind: 'digest' as const, push: null, ordinal: notice.ordinal }
    : { kind: 'delivery' as const, push: key.push, ordinal: key.ordinal }),
  channel: key.channel,
  template,
  createdAt,
  attempts: [],
  provider: null,
  reference: null,
  receipt: null,
  holder: null,
});
