import type { DeadlineStore, FormedItem } from '../../reports/deadline-store.ts';
import type { Row, SqliteDatabase } from './database.ts';
import { packedQuery } from './packed.ts';

const formedOf = (row: Row): FormedItem => ({
  id: String(row.id),
  title: String(row.title),
  formedOn: String(row.formed_on),
  state: String(row.state) as FormedItem['state'],
  publishedAt: row.published_at === null ? null : Number(row.published_at),
  writer: String(row.writer),
  departments: row.departments === null ? [] : (JSON.parse(String(row.departments)) as string[]),
});

/** The report of time limits over SQLite: items by the index of the day they were formed on. */
export const sqliteDeadlineStore = (db: SqliteDatabase): DeadlineStore => {
  // as few columns as there are: the texts of items are long
  const formed = packedQuery(
    db,
    {
      id: 'items.id',
      state: 'state',
      title: "json_extract(items.content, '$.title')",
      formed_on: "json_extract(items.content, '$.formedAt')",
      departments: "json_extract(items.content, '$.departments')",
      writer: "json_extract(items.facts, '$.writer')",
      published_at: 'item_versions.at',
    },
    `FROM items LEFT JOIN item_versions ON item_versions.item = items.id AND item_versions.version = 1
     WHERE json_extract(items.content, '$.formedAt') BETWEEN ?1 AND ?2 AND visibility = 'public'
       AND (?3 = 0 OR items.version = 0)
     ORDER BY json_extract(items.content, '$.formedAt'), items.id LIMIT ?4`,
  );
  const unwarned = db.prepare(
    'SELECT value FROM json_each(?) WHERE NOT EXISTS (SELECT 1 FROM deadline_warnings WHERE key = value)',
  );
  const warn = db.prepare('INSERT INTO deadline_warnings (key, at) VALUES (?, ?) ON CONFLICT DO NOTHING');
  return {
    formed: async (from, to, { unpublished, limit }) =>
      (await db.read(() => formed(from, to, unpublished ? 1 : 0, limit))).map(formedOf),
    unwarned: async (keys) => (await db.read(() => unwarned.all(JSON.stringify(keys)))).map((row) => String(row.value)),
    warned: async (keys, at) => {
      await db.write(() => {
        for (const key of keys) warn.run(key, at);
      });
    },
  };
};
