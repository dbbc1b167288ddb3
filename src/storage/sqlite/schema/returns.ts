/** What came back, by look-up, and since when an address is suppressed. */
export const returnsSchema = `
ALTER TABLE suppressions ADD COLUMN at INTEGER NOT NULL DEFAULT 0;
CREATE INDEX suppressions_by_time ON suppressions (at DESC, lookup);
CREATE TABLE returns (
  id TEXT PRIMARY KEY,
  lookup TEXT NOT NULL,
  kind TEXT NOT NULL,
  reason TEXT NOT NULL,
  status TEXT,
  message TEXT,
  at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX returns_by_lookup ON returns (lookup, at);
CREATE INDEX returns_by_time ON returns (at);
`;
