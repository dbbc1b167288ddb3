/**
 * Tables of publishing; part of the first migration. Columns beside `facts` and `content` are what queries filter, order
 * or guard by. `item_names` holds external ids and aliases, each the name of one item.
 */
export const publishingSchema = `
CREATE TABLE items (
  id TEXT PRIMARY KEY,
  state TEXT NOT NULL,
  version INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  visibility TEXT NOT NULL,
  scheduled_for INTEGER,
  updated_at INTEGER NOT NULL,
  sort_at INTEGER NOT NULL,
  search TEXT NOT NULL,
  content TEXT NOT NULL,
  facts TEXT NOT NULL
) STRICT;
CREATE INDEX items_by_time ON items (sort_at, id);
CREATE INDEX items_by_state ON items (state, sort_at, id);
CREATE INDEX items_due ON items (scheduled_for, id) WHERE state = 'scheduled';

CREATE TABLE item_names (
  name TEXT PRIMARY KEY,
  item TEXT NOT NULL REFERENCES items (id)
) STRICT, WITHOUT ROWID;

CREATE TABLE item_topics (
  topic TEXT NOT NULL,
  item TEXT NOT NULL REFERENCES items (id),
  PRIMARY KEY (topic, item)
) STRICT, WITHOUT ROWID;
CREATE INDEX item_topics_of ON item_topics (item);

CREATE TABLE item_versions (
  item TEXT NOT NULL REFERENCES items (id),
  version INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  kind TEXT NOT NULL,
  content TEXT NOT NULL,
  note TEXT,
  at INTEGER NOT NULL,
  announce INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (item, version)
) STRICT, WITHOUT ROWID;
CREATE INDEX item_versions_unannounced ON item_versions (at) WHERE announce = 1;
`;
