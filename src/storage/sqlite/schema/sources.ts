/** Feeds of other offices that are polled. */
export const sourcesSchema = `
CREATE TABLE sources (
  no INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  url TEXT NOT NULL UNIQUE,
  handling TEXT NOT NULL,
  added_by TEXT NOT NULL,
  paused INTEGER NOT NULL,
  etag TEXT,
  last_modified TEXT,
  polled_at INTEGER,
  result TEXT,
  faults INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  token TEXT,
  leased_until INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX sources_due ON sources (due_at) WHERE paused = 0;
`;
