import type { PushOrder, PushOrderStore } from '../../fanout/push-order-store.ts';
import type { Row, SqliteDatabase } from './database.ts';

const orderOf = (row: Row): PushOrder => ({
  id: String(row.id),
  ...JSON.parse(String(row.body)),
  at: Number(row.at),
  failed: row.failed as string | null,
});

/** Pushes that wait for their time, over SQLite. */
export const sqlitePushOrderStore = (db: SqliteDatabase): PushOrderStore => {
  const put = db.prepare('INSERT INTO push_orders (id, at, failed, body) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING');
  const one = db.prepare('SELECT * FROM push_orders WHERE id = ?');
  const all = db.prepare('SELECT * FROM push_orders ORDER BY at, id LIMIT ?');
  const due = db.prepare('SELECT * FROM push_orders WHERE failed IS NULL AND at <= ? ORDER BY at, id LIMIT ?');
  const fail = db.prepare('UPDATE push_orders SET failed = ? WHERE id = ?');
  const remove = db.prepare('DELETE FROM push_orders WHERE id = ?');
  return {
    insert: async ({ id, at, failed, ...body }) => {
      const row = await db.write(() => {
        put.run(id, at, failed, JSON.stringify(body));
        return one.get(id);
      });
      return orderOf(row as Row);
    },
    get: async (id) => {
      const row = await db.read(() => one.get(id));
      return row ? orderOf(row) : null;
    },
    list: async (limit) => (await db.read(() => all.all(limit))).map(orderOf),
    due: async (now, limit) => (await db.read(() => due.all(now, limit))).map(orderOf),
    fail: async (id, code) => {
      await db.write(() => fail.run(code, id));
    },
    remove: async (id) => (await db.write(() => remove.run(id))).changes > 0,
  };
};
