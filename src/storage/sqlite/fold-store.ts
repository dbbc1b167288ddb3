import { decodeCursor, encodeCursor } from '../../cursor.ts';
import type { FoldStore } from '../../fanout/fold-store.ts';
import { rankOf } from '../../fanout/push.ts';
import type { SqliteDatabase } from './database.ts';
import { pushOf } from './push-rows.ts';

const going = JSON.stringify((['planned', 'sending', 'deferred', 'digested'] as const).map(rankOf));

/** Folding over SQLite: rows go with what their messages keep of them in one short write. */
export const sqliteFoldStore = (db: SqliteDatabase): FoldStore => {
  const candidates = db.prepare(
    `SELECT * FROM pushes WHERE finished_at IS NOT NULL AND created_at < ?1 AND (created_at, no) > (?2, ?3)
       AND no NOT IN (SELECT push FROM push_folds WHERE done = 1)
     ORDER BY created_at, no LIMIT ?4`,
  );
  const begin = db.prepare(
    'INSERT INTO push_folds (push, done) SELECT no, 0 FROM pushes WHERE id = ? ON CONFLICT (push) DO NOTHING',
  );
  const rows = db.prepare(
    `SELECT d.push, d.ordinal, d.channel, d.message, d.reasons FROM deliveries d JOIN push_folds f ON f.push = d.push
     WHERE d.push = (SELECT no FROM pushes WHERE id = ?1) AND d.state NOT IN (SELECT value FROM json_each(?2)) LIMIT ?3`,
  );
  const keep = db.prepare(
    `UPDATE messages SET attempts = '[]', provider = NULL, reference = NULL,
       kept = json_insert(coalesce(kept, '[]'), '$[#]', json(?1)) WHERE id = ?2`,
  );
  const drop = db.prepare('DELETE FROM deliveries WHERE push = ? AND ordinal = ? AND channel = ?');
  const end = db.prepare(
    `UPDATE push_folds SET done = 1 WHERE push = (SELECT no FROM pushes WHERE id = ?)
       AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.push = push_folds.push)`,
  );
  const folded = db.prepare('SELECT 1 FROM push_folds f JOIN pushes p ON p.no = f.push WHERE p.id = ?');

  return {
    candidates: async (before, { cursor, limit }) => {
      const after = decodeCursor(cursor, [-1, -1] as [number, number]);
      const found = await db.read(() => candidates.all(before, ...after, limit + 1));
      const last = found.length > limit ? found[limit - 1] : undefined;
      return {
        rows: found.slice(0, limit).map(pushOf),
        next: last ? encodeCursor([Number(last.created_at), Number(last.no)]) : null,
      };
    },
    begin: async (push) => {
      await db.write(() => begin.run(push));
    },
    dropRows: (push, limit) =>
      db.write(() => {
        const found = rows.all(push, going, limit);
        for (const row of found) {
          const kept = { push, reasons: JSON.parse(String(row.reasons)) };
          if (row.message !== null) keep.run(JSON.stringify(kept), row.message);
          drop.run(row.push, row.ordinal, row.channel);
        }
        return found.length;
      }),
    end: async (push) => (await db.write(() => end.run(push))).changes > 0,
    isFolded: async (push) => (await db.read(() => folded.get(push))) !== undefined,
  };
};
