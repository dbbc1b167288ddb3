import type { CapLimits, CapSlot, LedgerStore } from '../../../fanout/ledger-store.ts';
import { inChunks } from '../chunks.ts';
import type { SqliteDatabase } from '../database.ts';

const slotsInOneWrite = 500;

/** The verbs of caps: a row is a place taken, and the statement that inserts it counts the person's others. */
export const ledgerCaps = (db: SqliteDatabase): Pick<LedgerStore, 'takeSlots' | 'giveBackSlots' | 'forgetSlots'> => {
  const take = db.prepare(
    `INSERT INTO cap_slots (week, ordinal, name, day)
     SELECT ?1, ?2, ?3, ?4 WHERE
       (SELECT count(*) FROM cap_slots WHERE week = ?1 AND ordinal = ?2) < ?6
       AND (SELECT count(*) FROM cap_slots WHERE week = ?1 AND ordinal = ?2 AND day = ?4) < ?5
     ON CONFLICT DO NOTHING`,
  );
  const held = db.prepare(
    'SELECT count(*) AS all_of_week, sum(name = ?) AS own FROM cap_slots WHERE week = ? AND ordinal = ?',
  );
  const giveBack = db.prepare('DELETE FROM cap_slots WHERE week = ? AND ordinal = ? AND name = ?');
  const forget = db.prepare('DELETE FROM cap_slots WHERE week < ?');

  const takeOne = ({ ordinal, of, day, week }: CapSlot, limits: CapLimits): 'taken' | 'day' | 'week' => {
    if (take.run(week, ordinal, of, day, limits.day, limits.week).changes > 0) return 'taken';
    const found = held.get(of, week, ordinal);
    if (Number(found?.own) > 0) return 'taken';
    return Number(found?.all_of_week) >= limits.week ? 'week' : 'day';
  };

  return {
    takeSlots: async (slots, limits) =>
      (
        await inChunks(slots, slotsInOneWrite, (part) => db.write(() => part.map((slot) => takeOne(slot, limits))))
      ).flat(),
    giveBackSlots: async (slots) => {
      await inChunks(slots, slotsInOneWrite, (part) =>
        db.write(() => {
          for (const { week, ordinal, of } of part) giveBack.run(week, ordinal, of);
        }),
      );
    },
    forgetSlots: async (week) => {
      await db.write(() => forget.run(week));
    },
  };
};
