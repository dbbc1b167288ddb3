import { type Delivery, type Lease, LeaseLost } from '../../../fanout/ledger-store.ts';
import type { SqliteDatabase } from '../database.ts';
import { storedRow } from './rows.ts';
import { ledgerStatements } from './statements.ts';

/** One write of the ledger while it runs. */
export type LedgerWrite = {
  /** The item's number; an item that is new to the ledger gets one. */
  itemNo(id: string): number;
  /** The batch that this person's row belongs to is to be recounted. */
  soil(push: number, ordinal: number): void;
};

/** What all verbs of the ledger share: numbers for ids, the lease guard, dirty marks. */
export const ledgerTables = (db: SqliteDatabase) => {
  const sql = ledgerStatements(db);
  const pushNumbers = new Map<string, number>();
  const itemNumbers = new Map<string, number>();

  /** The push's number, or -1, which no row has. */
  const pushNo = (id: string): number => {
    const known = pushNumbers.get(id) ?? Number(sql.pushNo.get(id)?.no ?? -1);
    if (known >= 0) pushNumbers.set(id, known);
    return known;
  };

  /** The item's number, or -1. */
  const knownItem = (id: string): number => itemNumbers.get(id) ?? Number(sql.itemNo.get(id)?.no ?? -1);

  const markDirty = (soiled: Map<number, Set<number>>): void => {
    for (const [push, ordinals] of soiled)
      for (const { no, first, last } of sql.stretches.all(push))
        if ([...ordinals].some((ordinal) => ordinal >= Number(first) && ordinal <= Number(last))) sql.soil.run(no);
  };

  /**
   * Runs a write transaction (`commit`: without its sync); numbers of new items are remembered only once it is committed, for it
   * may roll back.
   */
  const write = async <T>(work: (write: LedgerWrite) => T, run: SqliteDatabase['commit'] = db.write): Promise<T> => {
    let found = new Map<string, number>();
    const result = await run(() => {
      found = new Map();
      const soiled = new Map<number, Set<number>>();
      const itemNo = (id: string): number => {
        const known = itemNumbers.get(id) ?? found.get(id);
        if (known !== undefined) return known;
        sql.putItem.run(id);
        const no = Number(sql.itemNo.get(id)?.no);
        found.set(id, no);
        return no;
      };
      const soil = (push: number, ordinal: number): void => {
        soiled.set(push, (soiled.get(push) ?? new Set()).add(ordinal));
      };
      const done = work({ itemNo, soil });
      markDirty(soiled);
      return done;
    });
    for (const [id, no] of found) itemNumbers.set(id, no);
    return result;
  };

  /** Whether the lease stands, and if it does, whether its rows belong to other batches (`foreign`: it was gathered). */
  const standing = (lease: Lease): { foreign: boolean } | null => {
    const row = sql.lease.get(lease.batch, lease.token);
    return row ? { foreign: row.kind === 'due' } : null;
  };

  /** The same under a lease; throws `LeaseLost` unless it stands. */
  const writeUnder = <T>(
    lease: Lease,
    work: (write: LedgerWrite, foreign: boolean) => T,
    run: SqliteDatabase['commit'] = db.write,
  ): Promise<T> =>
    write((tx) => {
      const held = standing(lease);
      if (!held) throw new LeaseLost(lease.batch);
      return work(tx, held.foreign);
    }, run);

  /**
   * The same for what is only prepared: nothing leaves before a departure, and no batch ends before its close, whose own sync
   * takes all earlier commits of the file along.
   */
  const prepareUnder = <T>(lease: Lease, work: (write: LedgerWrite, foreign: boolean) => T): Promise<T> =>
    writeUnder(lease, work, db.commit);

  /** Inserts rows of one push unless their keys are taken; answers how many were new. */
  const insertRows = (push: string, rows: Delivery[]): number =>
    sql.insertDeliveries.run(pushNo(push), JSON.stringify(rows.map(storedRow))).changes;

  return { db, sql, pushNo, knownItem, write, standing, writeUnder, prepareUnder, insertRows };
};

export type LedgerTables = ReturnType<typeof ledgerTables>;
