/**
 * Read models of reports. `report_queue` says which batches are to be counted, and when (null: nothing changed); `mark` only
 * grows. Parts are what batches count; a `span` is a day (10 characters) or month (7), `size`
 * tells them apart. `cells` is JSON, because its keys may be anything.
 */
export const reportsSchema = `
CREATE TABLE report_queue (
  batch TEXT PRIMARY KEY,
  due_at INTEGER,
  mark INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX report_queue_due ON report_queue (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE report_parts (
  batch TEXT PRIMARY KEY,
  day TEXT NOT NULL,
  cells TEXT NOT NULL
) STRICT;
CREATE INDEX report_parts_of_day ON report_parts (day, batch);

CREATE TABLE report_sums (
  dimension TEXT NOT NULL,
  size INTEGER NOT NULL,
  span TEXT NOT NULL,
  cells TEXT NOT NULL,
  PRIMARY KEY (dimension, size, span)
) STRICT;

CREATE TABLE report_stale (
  span TEXT PRIMARY KEY,
  stale INTEGER NOT NULL,
  mark INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE report_opens (
  day TEXT PRIMARY KEY,
  opens INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE report_progress (
  name TEXT PRIMARY KEY,
  content TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX feedback_by_push ON feedback (push, ordinal) WHERE machine IS NULL;
`;
