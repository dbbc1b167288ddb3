/** Transactional messages; part of the first migration. A row goes once it is settled, so the table stays small. */
export const transactionalSchema = `
CREATE TABLE transactional (
  id TEXT PRIMARY KEY,
  channel TEXT NOT NULL,
  sealed TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  token TEXT,
  leased_until INTEGER NOT NULL
) STRICT;
CREATE INDEX transactional_due ON transactional (due_at);
`;
