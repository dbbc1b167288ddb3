/**
 * Pushes, batches and the ledger. Inside, pushes and items are integers: a ledger row is some thirty bytes, and everything
 * of one push lies together in the order of its people.
 */
export const fanoutSchema = `
CREATE TABLE pushes (
  no INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  item TEXT NOT NULL,
  version INTEGER NOT NULL,
  lane INTEGER NOT NULL,
  state TEXT NOT NULL,
  audience TEXT NOT NULL,
  channels TEXT,
  note TEXT,
  plan TEXT,
  matched INTEGER NOT NULL,
  by_source TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  planned_at INTEGER,
  finished_at INTEGER
) STRICT;
CREATE INDEX pushes_unfinished ON pushes (no) WHERE finished_at IS NULL;
CREATE INDEX pushes_by_item ON pushes (item, version);

CREATE TABLE push_sources (
  push INTEGER NOT NULL,
  plan TEXT NOT NULL,
  position INTEGER NOT NULL,
  source TEXT NOT NULL,
  follow TEXT,
  ordinals BLOB NOT NULL,
  PRIMARY KEY (push, plan, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE push_facts (
  push INTEGER NOT NULL,
  plan TEXT NOT NULL,
  position INTEGER NOT NULL,
  no INTEGER NOT NULL,
  leaf TEXT NOT NULL,
  ordinals BLOB NOT NULL,
  PRIMARY KEY (push, plan, position, no)
) STRICT, WITHOUT ROWID;

CREATE TABLE batches (
  no INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  push INTEGER,
  lane INTEGER NOT NULL,
  ordinals BLOB NOT NULL,
  first INTEGER NOT NULL,
  last INTEGER NOT NULL,
  people INTEGER NOT NULL,
  keys TEXT NOT NULL,
  open INTEGER NOT NULL DEFAULT 1,
  token TEXT,
  beat INTEGER NOT NULL DEFAULT 0,
  dirty INTEGER NOT NULL DEFAULT 0,
  marks INTEGER NOT NULL DEFAULT 0,
  counts TEXT NOT NULL
) STRICT;
CREATE INDEX batches_free ON batches (lane, no) WHERE open = 1 AND token IS NULL;
CREATE INDEX batches_leased ON batches (no) WHERE token IS NOT NULL;
CREATE INDEX batches_of_push ON batches (push, no);
CREATE INDEX batches_dirty ON batches (no) WHERE dirty = 1;

CREATE TABLE leases (
  name TEXT PRIMARY KEY,
  token TEXT NOT NULL,
  beat INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE ledger_items (
  no INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE notices (
  item INTEGER NOT NULL,
  version INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  owner INTEGER NOT NULL,
  class INTEGER NOT NULL,
  state INTEGER NOT NULL,
  channel INTEGER,
  PRIMARY KEY (item, version, ordinal)
) STRICT, WITHOUT ROWID;

CREATE TABLE deliveries (
  push INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  channel INTEGER NOT NULL,
  state INTEGER NOT NULL,
  code TEXT,
  reasons TEXT NOT NULL,
  class INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  due_at INTEGER,
  at INTEGER NOT NULL,
  message TEXT,
  holder TEXT,
  PRIMARY KEY (push, ordinal, channel)
) STRICT, WITHOUT ROWID;
CREATE INDEX deliveries_of_person ON deliveries (ordinal);
CREATE INDEX deliveries_due ON deliveries (push, due_at, state) WHERE state IN (4, 5) AND due_at IS NOT NULL;

CREATE TABLE messages (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  push INTEGER,
  ordinal INTEGER NOT NULL,
  channel INTEGER NOT NULL,
  template TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  attempts TEXT NOT NULL,
  provider TEXT,
  reference TEXT,
  receipt INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX messages_by_reference ON messages (provider, reference) WHERE reference IS NOT NULL;
`;
