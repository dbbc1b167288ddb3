/** The office's accounts at providers: key, lease and health; which of their calls came; single messages that people allowed; posts. */
export const accountsSchema = `
CREATE TABLE accounts (
  name TEXT PRIMARY KEY,
  sealed TEXT,
  serial INTEGER NOT NULL DEFAULT 0,
  expires_at INTEGER NOT NULL DEFAULT 0,
  holder TEXT,
  held_until INTEGER NOT NULL DEFAULT 0,
  worked_at INTEGER,
  fault TEXT,
  quiet_until INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE account_calls (
  key TEXT PRIMARY KEY,
  what TEXT NOT NULL,
  at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX account_calls_by_time ON account_calls (at);

CREATE TABLE allowed_messages (
  lookup TEXT NOT NULL,
  scene INTEGER NOT NULL,
  PRIMARY KEY (lookup, scene)
) STRICT, WITHOUT ROWID;

CREATE TABLE posts (
  item TEXT NOT NULL,
  version INTEGER NOT NULL,
  kind TEXT NOT NULL,
  state TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  give_up_at INTEGER NOT NULL,
  reference TEXT,
  response TEXT,
  at INTEGER NOT NULL,
  token TEXT,
  leased_until INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (item, version)
) STRICT, WITHOUT ROWID;
CREATE INDEX posts_due ON posts (due_at) WHERE state = 'pending';
CREATE INDEX posts_newest ON posts (at, item, version);
CREATE TABLE unposted_items (item TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
`;
