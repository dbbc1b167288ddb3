import type { LedgerStore } from '../../../fanout/ledger-store.ts';
import { type DeliveryState, lanes, noCounts, rankOf } from '../../../fanout/push.ts';
import { inChunks } from '../chunks.ts';
import type { Row } from '../database.ts';
import { channelAt, codes, foundIn, noticeStates, openStates, stateAt } from './rows.ts';
import type { LedgerTables } from './tables.ts';

const rowsInOneRead = 5_000;
const peopleInOneWrite = 200;

/** The verbs that sweep over many rows: gathering what is due, ending a push's open rows, redriving failed ones. */
export const ledgerSweeps = (
  tables: LedgerTables,
): Pick<LedgerStore, 'gatherDue' | 'gatherDigests' | 'hastenDigests' | 'endOpen' | 'redrive'> => {
  const { db, sql, pushNo } = tables;

  /** Due rows of the most urgent lane that has any, and that lane's code. */
  const dueRows = (now: number, limit: number): { lane: number; rows: Row[] } | null => {
    const pushes = sql.duePushes.all(now);
    const lane = pushes[0]?.lane;
    const rows: Row[] = [];
    for (const push of pushes) {
      if (push.lane !== lane || rows.length >= limit) break;
      for (const row of sql.due.all(push.no, now, limit - rows.length)) rows.push({ ...row, push_id: String(push.id) });
    }
    return rows.length > 0 ? { lane: Number(lane), rows } : null;
  };

  const gather = (id: string, now: number, limit: number): Awaited<ReturnType<LedgerStore['gatherDue']>> => {
    const due = dueRows(now, limit);
    if (!due) return null;
    insertBatch(id, due.lane, due.rows, now);
    for (const row of due.rows) sql.gathered.run(id, row.push, row.ordinal, row.channel);
    return { lane: lanes[due.lane] ?? 'bulk', rows: due.rows.length };
  };

  const gatherPeople = (id: string, now: number, limit: number): { rows: number } | null => {
    const people = [...foundIn<number>(sql.dueDigestPeople.get(now, limit))];
    const rows = people.length > 0 ? sql.dueDigestRows.all(JSON.stringify(people), now) : [];
    if (rows.length === 0) return null;
    insertBatch(id, lanes.indexOf('digest'), rows, now);
    for (const row of rows) sql.gatheredDigest.run(id, row.push, row.ordinal, row.channel);
    return { rows: rows.length };
  };

  const insertBatch = (id: string, lane: number, rows: Row[], now: number): void => {
    const keys = rows.map((row) => ({
      push: row.push_id,
      ordinal: Number(row.ordinal),
      channel: channelAt(row.channel),
    }));
    const none = JSON.stringify(noCounts());
    sql.insertGathered.run(id, lane, new Uint8Array(), keys.length, JSON.stringify(keys), none, now);
  };

  /** Ends the open rows of these people; answers how many people had one. */
  const endPeople = (push: string, ordinals: number[], to: DeliveryState, code: string, at: number): Promise<number> =>
    tables.write((tx) => {
      const no = pushNo(push);
      let ended = 0;
      for (const ordinal of ordinals) {
        if (sql.endPerson.run(rankOf(to), code, at, no, ordinal, codes(openStates)).changes === 0) continue;
        sql.dropPendingOf.run(no, ordinal, push);
        tx.soil(no, ordinal);
        ended += 1;
      }
      return ended;
    });

  /** Releases the pending notices of a push wherever they stand: after a merge, under another ordinal than their row. */
  const releaseAll = async (push: string): Promise<void> => {
    const of = await db.read(() => sql.versionOf.get(push));
    if (!of) return;
    for (let after = -1; ; ) {
      const rows = await db.read(() => sql.noticesAfter.all(of.item, of.version, after, rowsInOneRead));
      const own = rows.filter((row) => row.owner === pushNo(push) && row.state === noticeStates.pending);
      await inChunks(own, peopleInOneWrite, (part) =>
        tables.write(() => {
          for (const { ordinal } of part) sql.releaseNotice.run(of.item, of.version, ordinal, pushNo(push));
        }),
      );
      const last = rows.at(-1);
      if (rows.length < rowsInOneRead || !last) return;
      after = Number(last.ordinal);
    }
  };

  return {
    gatherDue: async (id, now, limit) => {
      // asked for again and again: it looks before it takes the write lock
      if (!(await db.read(() => sql.duePushes.get(now)))) return null;
      return tables.write(() => gather(id, now, limit));
    },
    gatherDigests: async (id, now, limit) => {
      if (foundIn(await db.read(() => sql.dueDigestPeople.get(now, 1))).size === 0) return null;
      return tables.write(() => gatherPeople(id, now, limit));
    },
    hastenDigests: async (ordinals, now) => {
      const parts = await inChunks(ordinals, peopleInOneWrite, (part) =>
        tables.write(() => sql.hastenDigests.run(now, JSON.stringify(part)).changes),
      );
      return parts.reduce((sum, one) => sum + one, 0);
    },
    endOpen: async (push, to, code, at) => {
      // first, so that a crash leaves the rows for whoever ends them again
      await releaseAll(push);
      let ended = 0;
      for (let after = [-1, 0] as [number, number]; ; ) {
        const rows = await db.read(() => sql.stretch.all(pushNo(push), ...after, rowsInOneRead));
        const open = rows.filter((row) => openStates.includes(stateAt(row.state))).map((row) => Number(row.ordinal));
        const parts = await inChunks([...new Set(open)], peopleInOneWrite, (part) =>
          endPeople(push, part, to, code, at),
        );
        ended += parts.reduce((sum, one) => sum + one, 0);
        const last = rows.at(-1);
        if (rows.length < rowsInOneRead || !last) return ended;
        after = [Number(last.ordinal), Number(last.channel)];
      }
    },
    redrive: async ({ push, messages }, at) => {
      const failed = await db.read(() =>
        push !== undefined && messages === undefined
          ? sql.failedOf.all(pushNo(push))
          : sql.failedMessages.all(JSON.stringify(messages ?? []), push === undefined ? null : pushNo(push)),
      );
      const parts = await inChunks(failed, peopleInOneWrite, (part) =>
        tables.write((tx) => {
          let moved = 0;
          for (const row of part) {
            if (sql.redrive.run(at, at, row.push, row.ordinal, row.channel).changes === 0) continue;
            tx.soil(Number(row.push), Number(row.ordinal));
            moved += 1;
          }
          return moved;
        }),
      );
      return parts.reduce((sum, one) => sum + one, 0);
    },
  };
};
