import type { Attribute, CatalogueStore } from '../../catalogue/catalogue-store.ts';
import type { Bilingual } from '../../catalogue/topic.ts';
import type { Row, SqliteDatabase } from './database.ts';

const regionsInOneWrite = 500;

const bilingual = (value: Row[string] | undefined): Bilingual => JSON.parse(String(value));
const orNull = (value: Row[string] | undefined): string | null => (value == null ? null : String(value));

const toAttribute = (row: Row): Attribute => ({
  name: String(row.name),
  type: String(row.type) as Attribute['type'],
  values: row.choices === null ? null : JSON.parse(String(row.choices)),
  title: bilingual(row.title),
});

/** The catalogue over SQLite. Nothing is ever removed from it, so the number of rows is the revision. */
export const sqliteCatalogueStore = (db: SqliteDatabase): CatalogueStore => {
  const selectTopics = db.prepare('SELECT slug, title, parent FROM topics ORDER BY no');
  const insertTopic = db.prepare(
    'INSERT INTO topics (slug, title, parent) VALUES (?, ?, ?) ON CONFLICT (slug) DO NOTHING',
  );
  const selectRegions = db.prepare('SELECT code, name, parent FROM regions ORDER BY no');
  const insertRegion = db.prepare(
    'INSERT INTO regions (code, name, parent) VALUES (?, ?, ?) ON CONFLICT (code) DO NOTHING',
  );
  const selectAttributes = db.prepare('SELECT name, type, choices, title FROM attributes ORDER BY no');
  const insertAttribute = db.prepare(
    'INSERT INTO attributes (name, type, choices, title) VALUES (?, ?, ?, ?) ON CONFLICT (name) DO NOTHING',
  );
  // max(no) is one step to the end of the table; rows are never deleted, so it counts them
  const revision = db.prepare(
    `SELECT (SELECT coalesce(max(no), 0) FROM topics) + (SELECT coalesce(max(no), 0) FROM regions)
       + (SELECT coalesce(max(no), 0) FROM attributes) AS revision`,
  );

  return {
    topics: () =>
      db.read(() =>
        selectTopics
          .all()
          .map((row) => ({ slug: String(row.slug), title: bilingual(row.title), parent: orNull(row.parent) })),
      ),
    insertTopic: ({ slug, title, parent }) =>
      db.write(() => insertTopic.run(slug, JSON.stringify(title), parent).changes === 1),
    regions: () =>
      db.read(() =>
        selectRegions
          .all()
          .map((row) => ({ code: String(row.code), name: bilingual(row.name), parent: orNull(row.parent) })),
      ),
    insertRegions: async (regions) => {
      let added = 0;
      for (let from = 0; from < regions.length; from += regionsInOneWrite) {
        const chunk = regions.slice(from, from + regionsInOneWrite);
        added += await db.write(() =>
          chunk.reduce(
            (sum, { code, name, parent }) => sum + insertRegion.run(code, JSON.stringify(name), parent).changes,
            0,
          ),
        );
      }
      return added;
    },
    attributes: () => db.read(() => selectAttributes.all().map(toAttribute)),
    insertAttribute: ({ name, type, values, title }) =>
      db.write(
        () =>
          insertAttribute.run(name, type, values === null ? null : JSON.stringify(values), JSON.stringify(title))
            .changes === 1,
      ),
    revision: () => db.read(() => Number(revision.get()?.revision ?? 0)),
  };
};
