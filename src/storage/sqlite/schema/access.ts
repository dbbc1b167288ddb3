/** Tables of access; part of the first migration. */
export const accessSchema = `
  CREATE TABLE staff (
    id TEXT PRIMARY KEY,
    email TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    roles TEXT NOT NULL,
    departments TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    password TEXT,
    epoch INTEGER NOT NULL DEFAULT 0
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE staff_sessions (
    hash TEXT PRIMARY KEY,
    staff TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX staff_sessions_by_expiry ON staff_sessions (expires_at);
  CREATE TABLE staff_tries (
    who TEXT NOT NULL,
    at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX staff_tries_by_who ON staff_tries (who, at);
  CREATE INDEX staff_tries_by_time ON staff_tries (at);

  CREATE TABLE api_keys (
    id TEXT PRIMARY KEY,
    hash TEXT NOT NULL,
    staff TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE audit (
    n INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT,
    details TEXT NOT NULL,
    hash TEXT NOT NULL
  ) STRICT;

  CREATE TABLE idempotent_calls (
    id TEXT PRIMARY KEY,
    body_hash TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    status INTEGER,
    body TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX idempotent_calls_by_age ON idempotent_calls (started_at);

  CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
`;
