/** Tables of rules; part of the first migration. */
export const rulesSchema = `
CREATE TABLE rules (
  id TEXT PRIMARY KEY,
  state TEXT NOT NULL,
  active INTEGER,
  latest INTEGER NOT NULL,
  in_review INTEGER,
  rejection TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX rules_by_time ON rules (created_at, id);
CREATE INDEX rules_active ON rules (id, active) WHERE state = 'active';

CREATE TABLE rule_versions (
  rule TEXT NOT NULL REFERENCES rules (id),
  version INTEGER NOT NULL,
  content TEXT NOT NULL,
  writer TEXT NOT NULL,
  approved_by TEXT,
  created_at INTEGER NOT NULL,
  used_at INTEGER,
  PRIMARY KEY (rule, version)
) STRICT, WITHOUT ROWID;
`;
