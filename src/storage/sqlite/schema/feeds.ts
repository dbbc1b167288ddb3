/**
 * What feeds are made from: items by department, and an index of what is public by time. `feed_hub` is the one row of what the
 * WebSub hub has been told.
 */
export const feedsSchema = `
CREATE TABLE item_departments (
  department TEXT NOT NULL,
  item TEXT NOT NULL REFERENCES items (id),
  PRIMARY KEY (department, item)
) STRICT, WITHOUT ROWID;
CREATE INDEX item_departments_of ON item_departments (item);
INSERT OR IGNORE INTO item_departments
  SELECT named.value, items.id FROM items, json_each(items.content, '$.departments') AS named;

CREATE INDEX items_public ON items (sort_at, id)
  WHERE visibility = 'public' AND state IN ('published', 'withdrawn') AND version > 0;

CREATE TABLE feed_hub (id INTEGER PRIMARY KEY CHECK (id = 1), state TEXT NOT NULL) STRICT;
`;
