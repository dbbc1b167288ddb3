import type { Actor, PersonReference, ProfileStore } from '../../profiles/profile-store.ts';
import { readEvent } from '../profile-content.ts';
import { changesOver } from './changes.ts';
import { inChunks } from './chunks.ts';
import type { Row, SqliteDatabase } from './database.ts';
import { packedQuery } from './packed.ts';
import { absorbOver } from './profiles/absorb.ts';
import { profileKeeperOver, profileRowsOver } from './profiles/rows.ts';

const namesInOneRead = 2_000;
/** How many steps of "merged into" are followed: merges of merges, never a loop. */
const mergesMost = 10;

/** The writes of events and profiles. */
const writesOver = (db: SqliteDatabase): Pick<ProfileStore, 'absorb' | 'change' | 'forget'> => {
  const rows = profileRowsOver(db);
  const keeper = profileKeeperOver(db);
  const changes = changesOver(db);

  return {
    absorb: absorbOver(db),
    change: (ordinal, change) =>
      db.write(() => {
        const before = rows.get(ordinal);
        if (!before) return null;
        const after = change(before);
        rows.put(ordinal, after);
        changes.touch(ordinal);
        return after;
      }),
    forget: (ordinal) =>
      db.write(() => {
        keeper.forget(ordinal);
        changes.touch(ordinal);
      }),
  };
};

const actorColumns = {
  position: 'wanted.key',
  ordinal: 'ordinal',
  time_zone: 'time_zone',
  personalisation: 'personalisation',
  merged_into: 'merged_into',
  erased_at: 'erased_at',
};

/** What the names in events stand for. */
const namesOver = (db: SqliteDatabase): Pick<ProfileStore, 'actors' | 'publicItems' | 'keywords'> => {
  const peopleBy = (column: string) =>
    packedQuery(
      db,
      actorColumns,
      `FROM json_each(?) AS wanted CROSS JOIN subscribers ON subscribers.${column} = wanted.value`,
    );
  const byOrdinal = peopleBy('ordinal');
  const lookups = { id: peopleBy('id'), externalId: peopleBy('external_id'), ordinal: byOrdinal };
  const itemColumns = {
    position: 'wanted.key',
    item: 'items.id',
    topics: '(SELECT json_group_array(topic) FROM item_topics WHERE item_topics.item = items.id)',
  };
  const shown = `visibility = 'public' AND version > 0 AND state IN ('published', 'withdrawn')`;
  const itemsById = packedQuery(
    db,
    itemColumns,
    `FROM json_each(?) AS wanted CROSS JOIN items ON items.id = wanted.value WHERE ${shown}`,
  );
  const itemsByName = packedQuery(
    db,
    itemColumns,
    `FROM json_each(?) AS wanted CROSS JOIN item_names ON item_names.name = wanted.value
     JOIN items ON items.id = item_names.item WHERE ${shown}`,
  );

  const keywords = packedQuery(
    db,
    { keyword: 'keyword', topic: 'topic' },
    `FROM (
       SELECT DISTINCT word.value AS keyword, topic
       FROM (SELECT id, content FROM items WHERE ${shown} ORDER BY sort_at DESC, id DESC LIMIT ?) AS newest
       CROSS JOIN json_each(newest.content, '$.keywords') AS word JOIN item_topics ON item_topics.item = newest.id)`,
  );

  const present = (row: Row | undefined): Actor | null => {
    let at = row;
    for (let step = 0; at && at.merged_into !== null && step < mergesMost; step++)
      [at] = byOrdinal(JSON.stringify([at.merged_into]));
    if (!at || at.merged_into !== null || at.erased_at !== null) return null;
    const timeZone = at.time_zone === null ? null : String(at.time_zone);
    return { ordinal: Number(at.ordinal), timeZone, personalisation: at.personalisation === 1 };
  };

  return {
    keywords: (most) =>
      db.read(() => keywords(most).map((row) => ({ keyword: String(row.keyword), topic: String(row.topic) }))),
    actors: async (people) =>
      (await inChunks(people, namesInOneRead, (part) => db.read(() => findAll(part, lookups).map(present)))).flat(),
    publicItems: async (items) =>
      (
        await inChunks(items, namesInOneRead, (part) =>
          db.read(() =>
            findAll(part, { id: itemsById, externalId: itemsByName }).map((row) =>
              row ? { id: String(row.item), topics: JSON.parse(String(row.topics)) as string[] } : null,
            ),
          ),
        )
      ).flat(),
  };
};

type Lookup = ReturnType<typeof packedQuery>;

/** Rows by reference, in the references' order; one look-up for each way of naming. */
const findAll = (
  wanted: readonly PersonReference[],
  lookups: { id: Lookup; externalId: Lookup; ordinal?: Lookup },
): (Row | undefined)[] => {
  const found: (Row | undefined)[] = wanted.map(() => undefined);
  for (const [way, lookup] of Object.entries(lookups)) {
    const named = wanted.flatMap((one, place) => (way in one ? [{ place, name: Object.values(one)[0] }] : []));
    if (named.length === 0) continue;
    for (const row of lookup(JSON.stringify(named.map(({ name }) => name)))) {
      const place = named[Number(row.position)]?.place;
      if (place !== undefined) found[place] = row;
    }
  }
  return found;
};

/** The raw events; old ones go by their time. */
const eventsOver = (db: SqliteDatabase): Pick<ProfileStore, 'eventsOf' | 'deleteEventsBefore'> => {
  const ofPerson = db.prepare(
    'SELECT at, content FROM browsing_events WHERE subscriber = ? ORDER BY at DESC, no DESC LIMIT ?',
  );
  const remove = db.prepare(
    'DELETE FROM browsing_events WHERE no IN (SELECT no FROM browsing_events WHERE at < ? ORDER BY at LIMIT ?)',
  );
  return {
    eventsOf: (ordinal, limit) =>
      db.read(() =>
        ofPerson
          .all(ordinal, limit)
          .map(({ at, content }) => readEvent(ordinal, Number(at), JSON.parse(String(content)))),
      ),
    deleteEventsBefore: (before, limit) => db.write(() => remove.run(before, limit).changes),
  };
};

/** Browsers that are tied to people. */
const visitorsOver = (db: SqliteDatabase): Pick<ProfileStore, 'tieVisitor' | 'visitor' | 'untieVisitor'> => {
  const tie = db.prepare(
    `INSERT INTO visitors (visitor, subscriber, tied_at)
     SELECT ?, ordinal, ? FROM subscribers
     WHERE ordinal = ? AND personalisation = 1 AND merged_into IS NULL AND erased_at IS NULL
     ON CONFLICT (visitor) DO UPDATE SET subscriber = excluded.subscriber,
       tied_at = iif(subscriber = excluded.subscriber, tied_at, excluded.tied_at)`,
  );
  const select = db.prepare('SELECT subscriber, tied_at FROM visitors WHERE visitor = ?');
  const untie = db.prepare('DELETE FROM visitors WHERE visitor = ?');
  return {
    tieVisitor: (visitor, ordinal, at) => db.write(() => tie.run(visitor, at, ordinal).changes === 1),
    visitor: (visitor) =>
      db.read(() => {
        const row = select.get(visitor);
        return row ? { ordinal: Number(row.subscriber), tiedAt: Number(row.tied_at) } : null;
      }),
    untieVisitor: (visitor) =>
      db.write(() => {
        untie.run(visitor);
      }),
  };
};

/** Profiles, events and visitors over SQLite. */
export const sqliteProfileStore = (db: SqliteDatabase): ProfileStore => {
  const rows = profileRowsOver(db);
  return {
    ...writesOver(db),
    ...eventsOver(db),
    ...namesOver(db),
    ...visitorsOver(db),
    profile: (ordinal) => db.read(() => rows.get(ordinal)),
  };
};
