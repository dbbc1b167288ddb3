import { decodeCursor, encodeCursor } from '../../cursor.ts';
import { AppError } from '../../errors.ts';
import { fold, searchText } from '../../publishing/fold.ts';
import type { Item, ItemVersion } from '../../publishing/item.ts';
import { type ItemChange, type ItemFilter, type ItemStore, markedItems, markOf } from '../../publishing/item-store.ts';
import type { Row, SqlInput, SqliteDatabase, Statement } from './database.ts';

/** Changes a transaction: well below 20 ms with items of a usual size. */
const changesAtOnce = 40;
const headsAtOnce = 5_000;

type Facts = Omit<Item, 'id' | 'state' | 'version' | 'revision' | 'content' | 'scheduledFor' | 'updatedAt'>;

const factsOf = (item: Item): Facts => {
  const { id, state, version, revision, content, scheduledFor, updatedAt, ...facts } = item;
  return facts;
};

const itemOf = (row: Row): Item => ({
  ...(JSON.parse(String(row.facts)) as Facts),
  id: String(row.id),
  state: String(row.state) as Item['state'],
  version: Number(row.version),
  revision: Number(row.revision),
  content: JSON.parse(String(row.content)) as Item['content'],
  scheduledFor: row.scheduled_for === null ? null : Number(row.scheduled_for),
  updatedAt: Number(row.updated_at),
});

const versionOf = (row: Row): ItemVersion => ({
  item: String(row.item),
  version: Number(row.version),
  revision: Number(row.revision),
  kind: String(row.kind) as ItemVersion['kind'],
  content: JSON.parse(String(row.content)) as ItemVersion['content'],
  note: row.note === null ? null : String(row.note),
  at: Number(row.at),
  announce: row.announce === 1,
});

const headOf = (row: Row): Pick<Item, 'id' | 'version' | 'revision'> => ({
  id: String(row.id),
  version: Number(row.version),
  revision: Number(row.revision),
});

const namesOf = (item: Item): string[] => [
  ...new Set([...(item.externalId === null ? [] : [item.externalId]), ...(item.aliases ?? [])]),
];

/** The index of what is public, by time: left to itself SQLite sorts all of it by each question. To the letter of the index. */
const inPublic = 'items INDEXED BY items_public';
const isPublic = `visibility = 'public' AND state IN ('published', 'withdrawn') AND version > 0`;

/** The clauses of a list and their values; equal shapes of filter give equal SQL. */
const clauses = (filter: ItemFilter, cursor: string | null): { from: string; sql: string; values: SqlInput[] } => {
  const parts: [string, ...SqlInput[]][] = [];
  const shown = filter.published && filter.visibility === 'public';
  if (filter.state) parts.push(['state = ?', filter.state]);
  if (shown) parts.push([isPublic]);
  else if (filter.visibility) parts.push(['visibility = ?', filter.visibility]);
  else if (filter.published) parts.push([`state IN ('published', 'withdrawn') AND version > 0`]);
  if (filter.topics)
    parts.push([
      'id IN (SELECT item FROM item_topics WHERE topic IN (SELECT value FROM json_each(?)))',
      JSON.stringify(filter.topics),
    ]);
  if (filter.department !== undefined)
    parts.push(['id IN (SELECT item FROM item_departments WHERE department = ?)', filter.department]);
  const q = fold(filter.q ?? '');
  if (q) parts.push(['instr(search, ?) > 0', q]);
  if (cursor !== null) parts.push(['(sort_at, id) < (?, ?)', ...decodeCursor(cursor, [0, ''])]);
  return {
    from: shown ? inPublic : 'items',
    sql: parts.map(([sql]) => ` AND ${sql}`).join(''),
    values: parts.flatMap(([, ...values]) => values),
  };
};

const prepareWrites = (db: SqliteDatabase) => {
  const insertItem = db.prepare(
    `INSERT INTO items (id, state, version, revision, visibility, scheduled_for, updated_at, sort_at, search, content, facts)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
  );
  const replaceItem = db.prepare(
    `UPDATE items SET state = ?, version = ?, revision = ?, visibility = ?, scheduled_for = ?, updated_at = ?,
       sort_at = CASE WHEN ? THEN ? ELSE sort_at END, search = ?, content = ?, facts = ?
     WHERE id = ? AND state = ? AND version = ? AND revision = ? AND updated_at = ?`,
  );
  const takenNames = db.prepare(
    'SELECT name FROM item_names WHERE item <> ? AND name IN (SELECT value FROM json_each(?)) LIMIT 1',
  );
  const insertName = db.prepare('INSERT INTO item_names (name, item) VALUES (?, ?) ON CONFLICT DO NOTHING');
  const dropTopics = db.prepare('DELETE FROM item_topics WHERE item = ?');
  const insertTopic = db.prepare('INSERT INTO item_topics (topic, item) VALUES (?, ?) ON CONFLICT DO NOTHING');
  const dropDepartments = db.prepare('DELETE FROM item_departments WHERE item = ?');
  const insertDepartment = db.prepare(
    'INSERT INTO item_departments (department, item) VALUES (?, ?) ON CONFLICT DO NOTHING',
  );
  const putVersion = db.prepare(
    'INSERT OR REPLACE INTO item_versions (item, version, revision, kind, content, note, at, announce) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
  );

  const putParts = (item: Item, versions: ItemVersion[]): void => {
    for (const name of namesOf(item)) insertName.run(name, item.id);
    for (const topic of item.content.topics) insertTopic.run(topic, item.id);
    for (const department of item.content.departments ?? []) insertDepartment.run(department, item.id);
    for (const { item: of, version, revision, kind, content, note, at, announce } of versions)
      putVersion.run(of, version, revision, kind, JSON.stringify(content), note, at, announce);
  };
  const namesAreFree = (item: Item): boolean => takenNames.get(item.id, JSON.stringify(namesOf(item))) === undefined;
  const written = (item: Item): SqlInput[] => [
    searchText(item.content),
    JSON.stringify(item.content),
    JSON.stringify(factsOf(item)),
  ];
  const head = (item: Item): SqlInput[] => [
    item.state,
    item.version,
    item.revision,
    item.content.visibility,
    item.scheduledFor,
    item.updatedAt,
  ];

  const insert = (item: Item, versions: ItemVersion[]): boolean => {
    if (!namesAreFree(item)) return false;
    if (insertItem.run(item.id, ...head(item), item.updatedAt, ...written(item)).changes === 0) return false;
    putParts(item, versions);
    return true;
  };
  const replace = (was: Item, item: Item, versions: ItemVersion[]): boolean => {
    if (!namesAreFree(item)) return false;
    const moved = versions.length > 0 || was.state !== item.state || item.version === 0;
    const guard = [was.id, was.state, was.version, was.revision, was.updatedAt];
    const values = [...head(item), moved, item.updatedAt, ...written(item), ...guard];
    if (replaceItem.run(...values).changes === 0) return false;
    dropTopics.run(item.id);
    dropDepartments.run(item.id);
    putParts(item, versions);
    return true;
  };
  return { insert, replace };
};

/** Items in SQLite: one row an item, its names and topics beside it, one row a version. */
export const sqliteItemStore = (db: SqliteDatabase): ItemStore => {
  const writes = prepareWrites(db);
  const byId = db.prepare('SELECT * FROM items WHERE id = ?');
  const byName = db.prepare('SELECT * FROM items WHERE id = (SELECT item FROM item_names WHERE name = ?)');
  const oneVersion = db.prepare('SELECT * FROM item_versions WHERE item = ? AND version = ?');
  const heads = db.prepare(
    'SELECT id, state, version, revision FROM items WHERE id IN (SELECT value FROM json_each(?))',
  );
  const newest = db.prepare(
    `SELECT id, version, revision FROM ${inPublic} WHERE ${isPublic}
     ORDER BY sort_at DESC, id DESC LIMIT ?`,
  );
  const unannounced = db.prepare('SELECT * FROM item_versions WHERE announce = 1 ORDER BY at, item, version LIMIT ?');
  const announced = db.prepare('UPDATE item_versions SET announce = 0 WHERE item = ? AND version = ?');
  const due = db.prepare(
    `SELECT * FROM items WHERE state = 'scheduled' AND scheduled_for <= ? ORDER BY scheduled_for, id LIMIT ?`,
  );
  const recent = db.prepare(
    `SELECT (SELECT json_group_array(topic) FROM item_topics WHERE item = id) AS topics FROM items
     WHERE sort_at >= ? AND state = 'published' AND version > 0 AND visibility = 'public'
     ORDER BY sort_at DESC, id DESC LIMIT ?`,
  );
  const lists = new Map<string, Statement>();
  const listing = (from: string, sql: string): Statement => {
    const text = `SELECT * FROM ${from} WHERE 1${sql} ORDER BY sort_at DESC, id DESC LIMIT ?`;
    const known = lists.get(text) ?? db.prepare(text);
    lists.set(text, known);
    return known;
  };
  const apply = ({ was, item, versions }: ItemChange): boolean =>
    was === null ? writes.insert(item, versions) : writes.replace(was, item, versions);

  return {
    insert: async (item) => {
      if (!(await db.write(() => writes.insert(item, []))))
        throw new AppError('conflict', 'an item with this externalId is there already', {
          faults: [{ path: 'externalId', message: 'is taken' }],
        });
    },
    get: (by) =>
      db.read(() => {
        const row = 'id' in by ? byId.get(by.id) : byName.get(by.externalId);
        return row ? itemOf(row) : null;
      }),
    replace: (was, item, version) => db.write(() => writes.replace(was, item, version ? [version] : [])),
    bring: async (changes) => {
      const done: boolean[] = [];
      for (let from = 0; from < changes.length; from += changesAtOnce)
        done.push(...(await db.write(() => changes.slice(from, from + changesAtOnce).map(apply))));
      return done;
    },
    version: (item, version) =>
      db.read(() => {
        const row = oneVersion.get(item, version);
        return row ? versionOf(row) : null;
      }),
    list: async (filter, page) => {
      const { from, sql, values } = clauses(filter, page.cursor);
      const rows = await db.read(() => listing(from, sql).all(...values, page.limit + 1));
      const shown = rows.slice(0, page.limit);
      const last = shown.at(-1);
      return {
        rows: shown.map(itemOf),
        next: rows.length > page.limit && last ? encodeCursor([Number(last.sort_at), String(last.id)]) : null,
      };
    },
    publicMark: async () => markOf((await db.read(() => newest.all(markedItems))).map(headOf)),
    topicsSince: (since, limit) =>
      db.read(() => recent.all(since, limit).map(({ topics }) => JSON.parse(String(topics)) as string[])),
    heads: async (ids) => {
      const found = new Map<string, Pick<Item, 'state' | 'version' | 'revision'>>();
      for (let from = 0; from < ids.length; from += headsAtOnce) {
        const chunk = JSON.stringify(ids.slice(from, from + headsAtOnce));
        for (const row of await db.read(() => heads.all(chunk))) {
          const { state, version, revision } = row;
          found.set(String(row.id), {
            state: String(state) as Item['state'],
            version: Number(version),
            revision: Number(revision),
          });
        }
      }
      return found;
    },
    unannounced: (limit) => db.read(() => unannounced.all(limit).map(versionOf)),
    announced: async (item, version) => {
      await db.write(() => announced.run(item, version));
    },
    due: (now, limit) => db.read(() => due.all(now, limit).map(itemOf)),
  };
};
