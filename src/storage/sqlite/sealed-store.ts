import type { SealedPlace, SealedStore } from '../../key-rotation.ts';
import type { SqliteDatabase } from './database.ts';

/** Table, the column that finds a value, the one that its seal is bound to, and the value's own; `only` narrows the rows. */
const places: Record<SealedPlace, { table: string; id: string; bound?: string; value: string; only?: string }> = {
  addresses: { table: 'addresses', id: 'lookup', value: 'sealed' },
  signUps: { table: 'sign_ups', id: 'id', bound: 'lookup', value: 'sealed' },
  transactional: { table: 'transactional', id: 'id', value: 'sealed' },
  calls: { table: 'idempotent_calls', id: 'id', value: 'body' },
  webhooks: { table: 'webhooks', id: 'id', value: 'secret' },
  applications: { table: 'applications', id: 'id', value: 'written' },
  opinions: { table: 'opinions', id: 'id', value: 'written' },
  staff: { table: 'staff', id: 'id', value: 'totp' },
  settings: { table: 'settings', id: 'name', value: 'value', only: "name IN ('vapid-keys', 'evidence-key')" },
  accounts: { table: 'accounts', id: 'name', value: 'sealed' },
};

/** Everything that is sealed over SQLite. */
export const sqliteSealedStore = (db: SqliteDatabase): SealedStore => ({
  sealedValues: async (place, after, limit) => {
    const { table, id, bound = id, value, only = 'TRUE' } = places[place];
    const sql = `SELECT ${id} AS id, ${bound} AS bound, ${value} AS sealed FROM ${table}
      WHERE ${id} > ? AND ${value} IS NOT NULL AND ${only} ORDER BY ${id} LIMIT ?`;
    const rows = await db.read(() => db.prepare(sql).all(after, limit));
    return rows.map((row) => ({ id: String(row.id), bound: String(row.bound), sealed: String(row.sealed) }));
  },
  reseal: async (place, changes) => {
    const { table, id, value } = places[place];
    const update = db.prepare(`UPDATE ${table} SET ${value} = ? WHERE ${id} = ? AND ${value} = ?`);
    await db.write(() => {
      for (const one of changes) update.run(one.to, one.id, one.from);
    });
  },
});
