import type { Attempt, LedgerStore, Outcome } from '../../../fanout/ledger-store.ts';
import { type DeliveryState, deliveryStates, rankOf } from '../../../fanout/push.ts';
import { outcomeAfter, type ReceiptKind } from '../../../fanout/retry.ts';
import { bulk, slices } from '../writes.ts';
import {
  type DeliveryDocument,
  type MessageDocument,
  plainAttempt,
  ranks,
  rowId,
  toDelivery,
  toMessage,
} from './documents.ts';
import type { LedgerTables } from './tables.ts';

const idsInOneRead = 2_000;

/** The states that a receipt still moves on. */
const movedBy: Record<ReceiptKind, DeliveryState[]> = { delivered: ['sent'], bounced: ['sent', 'delivered'] };

/**
 * Receipts that came while their message was in flight. A receipt is written to the message first and to its row then; an
 * outcome reads them before it moves the row (`judged`) and once more after (`settled`): however the two cross, the later one
 * sees the earlier.
 */
export const earlyReceipts = ({ messages, deliveries }: Pick<LedgerTables, 'messages' | 'deliveries'>) => {
  const of = async (ids: string[]): Promise<Map<string, ReceiptKind>> => {
    const found = new Map<string, ReceiptKind>();
    for (const part of slices(ids, idsInOneRead))
      for (const { _id, receipt } of await messages.find({ _id: { $in: part }, receipt: { $ne: null } }).toArray())
        found.set(_id, deliveryStates[receipt ?? 0] as ReceiptKind);
    return found;
  };

  /** Moves rows that have left by the receipts of their messages, which are forgotten then. */
  const settled = async (rows: { row: string; message: string }[]): Promise<void> => {
    const kinds = await of(rows.map((one) => one.message));
    const heard = rows.flatMap(({ row, message }) => {
      const kind = kinds.get(message);
      return kind ? [{ row, message, kind }] : [];
    });
    await bulk(
      deliveries,
      heard.map(({ row, kind }) => ({
        updateOne: {
          filter: { _id: row, state: { $in: ranks(movedBy[kind]) } },
          update: { $set: { state: rankOf(kind) } },
        },
      })),
    );
    await bulk(
      messages,
      heard.map(({ message, kind }) => ({
        updateOne: { filter: { _id: message, receipt: rankOf(kind) }, update: { $set: { receipt: null } } },
      })),
    );
  };

  return {
    judged: async (outcomes: Outcome[]): Promise<Outcome[]> => {
      const kinds = await of(outcomes.map((one) => one.message));
      return outcomes.map((outcome) => outcomeAfter(outcome, kinds.get(outcome.message) ?? null));
    },
    settled,
  };
};

/** Keeps the attempts of outcomes with their messages, each once. */
export const recordAttempts = (messages: LedgerTables['messages'], outcomes: Outcome[]): Promise<void> =>
  bulk(
    messages,
    outcomes.map(({ message, attempt }) => ({
      updateOne: {
        filter: { _id: message },
        update: {
          $addToSet: { attempts: plainAttempt(attempt) },
          ...(attempt.reference === null ? {} : { $set: { provider: attempt.provider, reference: attempt.reference } }),
        },
      },
    })),
  );

/** The verbs of messages and their receipts. */
export const ledgerMessages = (
  tables: LedgerTables,
): Pick<LedgerStore, 'message' | 'messages' | 'receipt' | 'rowsOfDigest' | 'messageByReference'> => {
  const { messages, deliveries } = tables;
  const { settled } = earlyReceipts(tables);

  /** Keeps a receipt with a message in flight; false if one that says as much is there. */
  const keep = async (id: string, to: ReceiptKind, attempt: Attempt): Promise<boolean> => {
    const kept = await messages.updateOne(
      // a bounce outranks a delivery, as a lower state
      { _id: id, $or: [{ receipt: null }, { receipt: { $gt: rankOf(to) } }] },
      { $set: { receipt: rankOf(to) }, $addToSet: { attempts: plainAttempt(attempt) } },
    );
    return kept.matchedCount > 0;
  };

  /** The rows that left or leave as this message. */
  const rowsOf = async ({ _id, push, ordinal, channel, rows }: MessageDocument): Promise<DeliveryDocument[]> => {
    const ids = push === null ? (rows ?? []) : [rowId({ push, ordinal, channel })];
    const found = await deliveries.find({ _id: { $in: ids } }).toArray();
    return push === null ? found.filter((row) => row.message === _id) : found;
  };

  const move = async (row: DeliveryDocument, to: ReceiptKind, at: number): Promise<boolean> => {
    const filter = { _id: row._id, state: { $in: ranks(movedBy[to]) } };
    const moved = await deliveries.updateOne(filter, { $set: { state: rankOf(to), at } });
    return moved.matchedCount > 0;
  };

  return {
    message: async (id) => {
      const found = await messages.findOne({ _id: id });
      return found && toMessage(found);
    },
    messages: async (ids) => {
      const found: MessageDocument[] = [];
      for (const part of slices(ids, idsInOneRead))
        found.push(...(await messages.find({ _id: { $in: part } }).toArray()));
      return found.map(toMessage);
    },
    receipt: async (id, to, attempt) => {
      const message = await messages.findOne({ _id: id });
      if (!message) return false;
      const keepAttempt = () => messages.updateOne({ _id: id }, { $addToSet: { attempts: plainAttempt(attempt) } });
      if (to === null) return (await keepAttempt()).matchedCount > 0;
      const rows = await rowsOf(message);
      const flying = rows.filter((row) => row.state === rankOf('sending'));
      if (flying.length > 0) {
        const isKept = await keep(id, to, attempt);
        const left = await deliveries.countDocuments({
          _id: { $in: flying.map((row) => row._id) },
          state: rankOf('sending'),
        });
        if (left > 0) return isKept;
        // its outcome was recorded meanwhile: whoever was second, one of the two has seen the other
        await tables.soiling(flying, () => settled(flying.map((row) => ({ row: row._id, message: id }))));
        return isKept;
      }
      const movable = rows.filter((row) => ranks(movedBy[to]).includes(row.state));
      if (movable.length === 0) return false;
      // the proof before the state: a receipt that comes again after a crash adds nothing and moves the row
      await keepAttempt();
      const moved = await tables.soiling(movable, () => Promise.all(movable.map((row) => move(row, to, attempt.at))));
      return moved.some(Boolean);
    },
    rowsOfDigest: async (id) => {
      const message = await messages.findOne({ _id: id });
      return message && message.push === null ? (await rowsOf(message)).map(toDelivery) : [];
    },
    messageByReference: async (provider, reference) => {
      const found = await messages.findOne({ provider, reference });
      return found && toMessage(found);
    },
  };
};
