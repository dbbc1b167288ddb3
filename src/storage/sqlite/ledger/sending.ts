import type { Attempt, Departure, Lease, LedgerStore, Outcome } from '../../../fanout/ledger-store.ts';
import { type DeliveryState, rankOf } from '../../../fanout/push.ts';
import type { Row } from '../database.ts';
import { channelCode, codes, messageOf, noticeStates, stateAt } from './rows.ts';
import type { LedgerTables, LedgerWrite } from './tables.ts';

/** The verbs of what leaves: departures, their outcomes, messages and receipts. */
export const ledgerSending = (
  tables: LedgerTables,
): Pick<LedgerStore, 'depart' | 'settle' | 'message' | 'messages' | 'receipt' | 'messageByReference'> => {
  const { db, sql, pushNo, insertRow } = tables;

  /** Whether the row may leave under this batch, and whether it had left before (its holder died while it was in flight). */
  const leaving = (row: Row | undefined, batch: string): 'fresh' | 'resumed' | null => {
    if (!row) return null;
    const state = stateAt(row.state);
    if (state === 'planned') return 'fresh';
    if (row.holder !== batch) return null;
    if (state === 'deferred') return 'fresh';
    return state === 'sending' ? 'resumed' : null;
  };

  const departOne = (tx: LedgerWrite, lease: Lease, departure: Departure, at: number, foreign: boolean): boolean => {
    const { key, notice, message } = departure;
    const push = pushNo(key.push);
    const channel = channelCode(key.channel);
    const item = tx.itemNo(notice.item);
    const how = leaving(sql.delivery.get(push, key.ordinal, channel), lease.batch);
    const held = sql.notice.get(item, notice.version, notice.ordinal);
    if (how === null || held?.owner !== push) return false;
    // a notice in flight belongs to another row of the same person (a merge): it must not go out twice
    if (held.state !== noticeStates.pending && !(how === 'resumed' && held.state === noticeStates.sending))
      return false;
    sql.sendNotice.run(item, notice.version, notice.ordinal, push);
    sql.departRow.run(departure.revision, at, message, lease.batch, push, key.ordinal, channel);
    sql.insertMessage.run(message, 'delivery', push, key.ordinal, channel, departure.template, at, '[]');
    if (foreign) tx.soil(push, key.ordinal);
    return true;
  };

  const addAttempt = (id: string, attempt: Attempt, before: Attempt[]): void => {
    if (before.some((one) => sameAttempt(one, attempt))) return;
    sql.attempts.run(JSON.stringify([...before, attempt]), id);
    if (attempt.reference !== null) sql.refer.run(attempt.provider, attempt.reference, id);
  };

  const settleOne = (tx: LedgerWrite, outcome: Outcome, foreign: boolean): void => {
    const { key, notice, attempt, to, next } = outcome;
    const push = pushNo(key.push);
    const channel = channelCode(key.channel);
    const item = tx.itemNo(notice.item);
    const of = [item, notice.version, notice.ordinal, push] as const;
    const message = sql.message.get(outcome.message);
    if (message) addAttempt(outcome.message, attempt, messageOf(message).attempts);
    const row = [rankOf(to.state), to.code, to.dueAt, to.attempts, attempt.at, push, key.ordinal, channel] as const;
    const moved = sql.settleRow.run(...row).changes > 0;
    if (to.state === 'sent' || to.state === 'delivered') sql.tell.run(channel, ...of);
    else if (moved && to.state === 'failed' && !next) sql.dropNotice.run(...of);
    else if (moved) sql.calmNotice.run(...of);
    if (moved && next) insertRow(next);
    if (moved && foreign) tx.soil(push, key.ordinal);
  };

  return {
    depart: (lease, departures, at) =>
      tables.writeUnder(lease, (tx, foreign) => departures.map((one) => departOne(tx, lease, one, at, foreign))),
    settle: (lease, outcomes) =>
      tables.writeUnder(lease, (tx, foreign) => {
        for (const outcome of outcomes) settleOne(tx, outcome, foreign);
      }),

    message: async (id) => {
      const row = await db.read(() => sql.message.get(id));
      return row ? messageOf(row) : null;
    },
    messages: async (ids) => (await db.read(() => sql.messages.all(JSON.stringify(ids)))).map(messageOf),
    receipt: (id, to, attempt) =>
      tables.write((tx) => {
        const row = sql.message.get(id);
        if (!row) return false;
        const from: DeliveryState[] = to === 'delivered' ? ['sent'] : ['sent', 'delivered'];
        const at = [row.push, row.ordinal, row.channel] as const;
        if (sql.receive.run(rankOf(to), attempt.at, ...at, codes(from)).changes === 0) return false;
        sql.attempts.run(JSON.stringify([...messageOf(row).attempts, attempt]), id);
        tx.soil(Number(row.push), Number(row.ordinal));
        return true;
      }),
    messageByReference: async (provider, reference) => {
      const row = await db.read(() => sql.byReference.get(provider, reference));
      return row ? messageOf(row) : null;
    },
  };
};

const sameAttempt = (a: Attempt, b: Attempt): boolean =>
  a.at === b.at &&
  a.provider === b.provider &&
  a.ok === b.ok &&
  a.response === b.response &&
  a.reference === b.reference;
