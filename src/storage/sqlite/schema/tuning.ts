/** What tuning keeps: arms by day, exposures until they are old, tallies by day, changes for good. */
export const tuningSchema = `
CREATE TABLE tuning_arms (
  rule TEXT NOT NULL,
  version INTEGER NOT NULL,
  day TEXT NOT NULL,
  arms TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (rule, version, day)
) STRICT, WITHOUT ROWID;

CREATE TABLE tuning_exposures (
  push TEXT NOT NULL,
  ordinal INTEGER NOT NULL,
  rule TEXT NOT NULL,
  version INTEGER NOT NULL,
  lineage TEXT NOT NULL,
  day TEXT NOT NULL,
  level REAL,
  drawn TEXT NOT NULL,
  propensity REAL NOT NULL,
  pass REAL NOT NULL,
  others REAL NOT NULL,
  withheld INTEGER NOT NULL,
  at INTEGER NOT NULL,
  closed INTEGER NOT NULL DEFAULT 0,
  channel TEXT,
  sent_at INTEGER,
  reward INTEGER NOT NULL DEFAULT 0,
  unwanted INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (push, ordinal)
) STRICT, WITHOUT ROWID;
CREATE INDEX tuning_exposures_open ON tuning_exposures (push, ordinal, at) WHERE closed = 0;
CREATE INDEX tuning_exposures_at ON tuning_exposures (at, push, ordinal);
CREATE INDEX tuning_exposures_rule ON tuning_exposures (rule, at, push, ordinal);

CREATE TABLE tuning_tallies (
  day INTEGER NOT NULL,
  rule TEXT NOT NULL,
  lineage TEXT NOT NULL,
  parameter TEXT NOT NULL,
  arm TEXT NOT NULL,
  channel TEXT NOT NULL,
  eligible INTEGER NOT NULL,
  sent INTEGER NOT NULL,
  useful INTEGER NOT NULL,
  unwanted INTEGER NOT NULL,
  PRIMARY KEY (day, rule, lineage, parameter, arm, channel)
) STRICT, WITHOUT ROWID;
CREATE INDEX tuning_tallies_rule ON tuning_tallies (rule, lineage, day);

CREATE TABLE tuning_changes (
  id TEXT PRIMARY KEY,
  rule TEXT NOT NULL,
  at INTEGER NOT NULL,
  state TEXT NOT NULL,
  content TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX tuning_changes_at ON tuning_changes (at, id);
CREATE INDEX tuning_changes_rule ON tuning_changes (rule, at, id);
`;
