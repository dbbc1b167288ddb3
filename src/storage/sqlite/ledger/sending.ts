import { isDigest } from '../../../fanout/digest/digest-id.ts';
import type { Departure, Lease, LedgerStore, Outcome } from '../../../fanout/ledger-store.ts';
import { type DeliveryState, rankOf } from '../../../fanout/push.ts';
import { outcomeAfter, type ReceiptKind, tells } from '../../../fanout/retry.ts';
import type { Row } from '../database.ts';
import { channelCode, codes, deliveryOf, foundIn, groupBy, messageOf, noticeStates, stateAt } from './rows.ts';
import type { LedgerTables, LedgerWrite } from './tables.ts';

const none: ReadonlySet<string> = new Set();

/** The verbs of what leaves: departures, their outcomes, messages and receipts. */
export const ledgerSending = (
  tables: LedgerTables,
): Pick<
  LedgerStore,
  'depart' | 'settle' | 'exchange' | 'message' | 'messages' | 'receipt' | 'rowsOfDigest' | 'messageByReference'
> => {
  const { db, sql, pushNo, insertRows } = tables;

  /** Whether the row may leave under this batch, and whether it had left before (its holder died while it was in flight). */
  const leaving = (row: Row, batch: string): 'fresh' | 'resumed' | null => {
    if (row.state === null) return null;
    const state = stateAt(row.state);
    if (state === 'planned') return 'fresh';
    if (row.holder !== batch) return null;
    if (state === 'deferred' || state === 'digested') return 'fresh';
    return state === 'sending' ? 'resumed' : null;
  };

  /** Departures of one push and item version: read, decided, then written with one statement a table. */
  const departGroup = (tx: LedgerWrite, lease: Lease, group: Departure[], at: number, foreign: boolean): boolean[] => {
    const { key, notice } = group[0] as Departure;
    const push = pushNo(key.push);
    const item = tx.itemNo(notice.item);
    const rows = group.map((one) => [
      one.key.ordinal,
      channelCode(one.key.channel),
      one.notice.ordinal,
      one.message,
      one.template,
    ]);
    const digests = rows.map((row) => String(row[3])).filter(isDigest);
    const taken: ReadonlySet<string> =
      digests.length > 0 ? foundIn<string>(sql.digestsOfOthers.get(JSON.stringify(digests), lease.batch)) : none;
    const inFlight = new Set<number>();
    const goes = sql.departing(push, item, notice.version, JSON.stringify(rows)).map((row, index) => {
      const person = group[index]?.notice.ordinal ?? -1;
      const how = leaving(row, lease.batch);
      const state = inFlight.has(person) ? noticeStates.sending : row.notice;
      // a notice in flight belongs to another row of the same person (a merge): it must not go out twice
      const of = group[index];
      const follows = of?.again === true && state === noticeStates.told;
      const free = state === noticeStates.pending || (how === 'resumed' && state === noticeStates.sending) || follows;
      if (how === null || row.owner !== push || !free || (of && taken.has(of.message))) return false;
      if (!follows) inFlight.add(person);
      // a row that was planned with its channel knows its message already
      if (of && row.named !== 1) sql.nameMessage.run(of.message, push, of.key.ordinal, channelCode(of.key.channel));
      return true;
    });
    sql.sendNotices.run(item, notice.version, JSON.stringify([...inFlight]));
    const going = group.filter((_, index) => goes[index]);
    for (const alike of groupBy(going, ({ key, revision }) => `${key.channel} ${revision}`)) {
      const { key, revision } = alike[0] as Departure;
      const ordinals = alike.map((one) => one.key.ordinal);
      sql.departRows.run(revision, at, lease.batch, push, channelCode(key.channel), JSON.stringify(ordinals));
      if (foreign) for (const ordinal of ordinals) tx.soil(push, ordinal);
    }
    const gone = rows.filter((_, index) => goes[index]);
    const single = digests.length > 0 ? gone.filter((row) => !isDigest(String(row[3]))) : gone;
    sql.insertMessages.run(push, at, JSON.stringify(single));
    if (single !== gone)
      sql.holdDigests.run(at, lease.batch, JSON.stringify(gone.filter((row) => !single.includes(row))));
    return goes;
  };

  /**
   * Attempts as (message, attempt, provider, reference). Nearly all are a message's first; answers the ids of the messages
   * that had another before.
   */
  const addAttempts = (attempts: [string, string, string, string | null][]): string[] => {
    const all = JSON.stringify(attempts);
    if (sql.firstAttempts.run(all).changes === attempts.length) return [];
    const repeated = foundIn<string>(sql.attempted.get(all));
    if (repeated.size > 0) sql.moreAttempts.run(JSON.stringify(attempts.filter(([id]) => repeated.has(id))));
    return [...repeated];
  };

  /** Outcomes as the receipts judge them that came before; a receipt is an attempt too, so only `repeated` messages have one. */
  const judged = (group: Outcome[], repeated: string[], heard: Set<string>): Outcome[] => {
    const early = repeated.length > 0 ? sql.receipts.all(JSON.stringify(repeated)) : [];
    if (early.length === 0) return group;
    const kinds = new Map(early.map((row) => [row.id, stateAt(row.receipt) as ReceiptKind]));
    for (const id of kinds.keys()) heard.add(String(id));
    return group.map((outcome) => outcomeAfter(outcome, kinds.get(outcome.message) ?? null));
  };

  const settleGroup = (tx: LedgerWrite, group: Outcome[], foreign: boolean, heard: Set<string>): Outcome[] => {
    const { key, notice } = group[0] as Outcome;
    const push = pushNo(key.push);
    const item = tx.itemNo(notice.item);
    const attempts = group.map(({ message, attempt }): [string, string, string, string | null] => [
      message,
      JSON.stringify(attempt),
      attempt.provider,
      attempt.reference,
    ]);
    const outcomes = judged(group, addAttempts(attempts), heard);
    for (const alike of groupBy(outcomes, ending)) {
      const { key, to } = alike[0] as Outcome;
      const channel = channelCode(key.channel);
      const at = Math.max(...alike.map((one) => one.attempt.at));
      const ordinals = JSON.stringify(alike.map((one) => one.key.ordinal));
      // who was told at the first go, in the batch of their own, has nothing to follow
      const isOver = tells(to.state) && !foreign && alike.every(({ next }) => next === null);
      const gone = isOver ? null : foundIn<number>(sql.inFlight.get(push, channel, ordinals));
      sql.settleRows.run(rankOf(to.state), to.code, to.dueAt, to.attempts, at, push, channel, ordinals);
      const people = JSON.stringify(alike.map((one) => one.notice.ordinal));
      if (tells(to.state)) sql.tell.run(channel, item, notice.version, push, people);
      for (const one of alike) {
        if (!gone?.has(one.key.ordinal)) continue;
        if (!tells(to.state)) afterFailure(push, item, one);
        else if (one.next) insertRows(one.key.push, [one.next]);
        if (foreign) tx.soil(push, one.key.ordinal);
      }
    }
    return outcomes;
  };

  /** A person who was not told: their next channel's row comes, or the notice is let go, or waits with the deferred row. */
  const afterFailure = (push: number, item: number, { key, notice, to, next }: Outcome): void => {
    const of = [item, notice.version, notice.ordinal, push] as const;
    // what waits for its next digest keeps no notice
    if ((to.state === 'failed' && !next) || to.state === 'digested') sql.dropNotice.run(...of);
    else sql.calmNotice.run(...of);
    if (next) insertRows(key.push, [next]);
  };

  const departAll = (
    tx: LedgerWrite,
    lease: Lease,
    departures: Departure[],
    at: number,
    foreign: boolean,
  ): boolean[] => {
    const gone = new Map<Departure, boolean>();
    for (const group of groupBy(departures, versionOfPush)) {
      const goes = departGroup(tx, lease, group, at, foreign);
      for (const [index, departure] of group.entries()) gone.set(departure, goes[index] ?? false);
    }
    return departures.map((departure) => gone.get(departure) ?? false);
  };

  const settleAll = (tx: LedgerWrite, outcomes: Outcome[], foreign: boolean): void => {
    const heard = new Set<string>();
    const ended = groupBy(outcomes, versionOfPush).flatMap((group) => settleGroup(tx, group, foreign, heard));
    // last, because the rows of one digest are settled in several groups
    for (const id of heard) sql.forgetReceipt.run(id);
    const back = ended.filter(({ message, to }) => isDigest(message) && !tells(to.state));
    if (back.length > 0) sql.letDigestsGo.run(JSON.stringify(back.map((one) => one.message)));
  };

  return {
    depart: (lease, departures, at) =>
      tables.writeUnder(lease, (tx, foreign) => departAll(tx, lease, departures, at, foreign)),
    settle: (lease, outcomes) => tables.writeUnder(lease, (tx, foreign) => settleAll(tx, outcomes, foreign)),
    exchange: (turns, at) =>
      tables.write((tx) =>
        turns.map(({ lease, outcomes, departures }) => {
          const held = tables.standing(lease);
          if (!held) return null;
          settleAll(tx, outcomes, held.foreign);
          return departAll(tx, lease, departures, at, held.foreign);
        }),
      ),

    message: async (id) => {
      const row = await db.read(() => sql.message.get(id));
      return row ? messageOf(row) : null;
    },
    messages: async (ids) => (await db.read(() => sql.messages.all(JSON.stringify(ids)))).map(messageOf),
    receipt: (id, to, attempt) =>
      tables.write((tx) => {
        const row = sql.message.get(id);
        if (!row) return false;
        const keep = (): boolean => {
          addAttempts([[id, JSON.stringify(attempt), attempt.provider, null]]);
          return true;
        };
        if (to === null) return keep();
        const from: DeliveryState[] = to === 'delivered' ? ['sent'] : ['sent', 'delivered'];
        const left = row.kind === 'digest' ? sql.rowsOfDigest.all(id) : [row];
        const moved = left.filter((one) => {
          const isMoved =
            sql.receive.run(rankOf(to), attempt.at, one.push, one.ordinal, one.channel, codes(from)).changes > 0;
          if (isMoved) tx.soil(Number(one.push), Number(one.ordinal));
          return isMoved;
        });
        const flies = left.some((one) => row.kind === 'digest' && stateAt(one.state) === 'sending');
        const early = flies ? sql.receiveDigestEarly : sql.receiveEarly;
        if (moved.length === 0 && early.run(rankOf(to), id).changes === 0) return false;
        return keep();
      }),
    rowsOfDigest: async (id) => (await db.read(() => sql.rowsOfDigest.all(id))).map(deliveryOf),
    messageByReference: async (provider, reference) => {
      const row = await db.read(() => sql.byReference.get(provider, reference));
      return row ? messageOf(row) : null;
    },
  };
};

/** Outcomes of one ending are written with one statement. */
const ending = ({ key, to }: Outcome): string => `${key.channel} ${to.state} ${to.code} ${to.dueAt} ${to.attempts}`;
const versionOfPush = ({ key, notice }: Pick<Departure, 'key' | 'notice'>): string =>
  `${key.push} ${notice.item} ${notice.version}`;
