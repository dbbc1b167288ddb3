import type { ItemContent } from '../../publishing/item.ts';
import type { DeadlineStore, FormedItem } from '../../reports/deadline-store.ts';
import type { Row, SqliteDatabase } from './database.ts';

const formedOf = (row: Row): FormedItem => {
  const content = JSON.parse(String(row.content)) as ItemContent;
  return {
    id: String(row.id),
    title: content.title,
    formedOn: content.formedAt ?? '',
    state: String(row.state) as FormedItem['state'],
    publishedAt: row.published_at === null ? null : Number(row.published_at),
    writer: String(row.writer),
    departments: content.departments ?? [],
  };
};

/** The report of time limits over SQLite: items by the index of the day they were formed on. */
export const sqliteDeadlineStore = (db: SqliteDatabase): DeadlineStore => {
  const formed = db.prepare(
    `SELECT items.id, items.state, items.content, json_extract(items.facts, '$.writer') AS writer,
       item_versions.at AS published_at
     FROM items LEFT JOIN item_versions ON item_versions.item = items.id AND item_versions.version = 1
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
      (await db.read(() => formed.all(from, to, unpublished, limit))).map(formedOf),
    unwarned: async (keys) => (await db.read(() => unwarned.all(JSON.stringify(keys)))).map((row) => String(row.value)),
    warned: async (keys, at) => {
      await db.write(() => {
        for (const key of keys) warn.run(key, at);
      });
    },
  };
};
