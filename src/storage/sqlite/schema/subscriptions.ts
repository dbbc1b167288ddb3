/**
 * Tables of subscriptions; part of the first migration. `pace` and `origin` are places in their lists of words.
 * The index of subscriptions by person holds whether they are live and (the key) the follow: the audience index reads only it.
 * Addresses lie by subscriber, because a batch reads those of a thousand neighbours.
 * `consent_refused`: they said no themselves, which an import cannot overrule.
 * `follows.live` counts live subscriptions, so that a topic with a million followers is counted without reading them.
 */
export const subscriptionsSchema = `
CREATE TABLE subscribers (
  ordinal INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  external_id TEXT UNIQUE,
  locale TEXT NOT NULL,
  region TEXT,
  time_zone TEXT,
  quiet_hours TEXT,
  attributes TEXT NOT NULL,
  personalisation INTEGER NOT NULL,
  consent_given_at INTEGER,
  consent_how TEXT,
  consent_wording TEXT,
  consent_withdrawn_at INTEGER,
  consent_refused INTEGER NOT NULL DEFAULT 0,
  stopped_all INTEGER NOT NULL DEFAULT 0,
  merged_into INTEGER,
  erased_at INTEGER,
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE follows (
  no INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  source TEXT NOT NULL,
  definition TEXT NOT NULL,
  live INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX follows_by_source ON follows (source);

CREATE TABLE subscriptions (
  follow INTEGER NOT NULL REFERENCES follows (no),
  subscriber INTEGER NOT NULL REFERENCES subscribers (ordinal),
  id TEXT NOT NULL,
  pace INTEGER NOT NULL,
  channels TEXT,
  origin INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  stopped_at INTEGER,
  PRIMARY KEY (follow, subscriber)
) STRICT, WITHOUT ROWID;
CREATE INDEX subscriptions_by_subscriber ON subscriptions (subscriber, stopped_at);
CREATE TRIGGER subscriptions_added AFTER INSERT ON subscriptions WHEN new.stopped_at IS NULL BEGIN
  UPDATE follows SET live = live + 1 WHERE no = new.follow;
END;
CREATE TRIGGER subscriptions_removed AFTER DELETE ON subscriptions WHEN old.stopped_at IS NULL BEGIN
  UPDATE follows SET live = live - 1 WHERE no = old.follow;
END;
CREATE TRIGGER subscriptions_stopped AFTER UPDATE OF stopped_at ON subscriptions
  WHEN (old.stopped_at IS NULL) <> (new.stopped_at IS NULL) BEGIN
  UPDATE follows SET live = live + iif(new.stopped_at IS NULL, 1, -1) WHERE no = new.follow;
END;

CREATE TABLE rule_opt_outs (
  rule TEXT NOT NULL,
  subscriber INTEGER NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (rule, subscriber)
) STRICT, WITHOUT ROWID;
CREATE INDEX rule_opt_outs_of_person ON rule_opt_outs (subscriber);

CREATE TABLE addresses (
  subscriber INTEGER NOT NULL,
  lookup TEXT NOT NULL UNIQUE,
  channel TEXT NOT NULL,
  sealed TEXT NOT NULL,
  verified_at INTEGER NOT NULL,
  PRIMARY KEY (subscriber, lookup)
) STRICT, WITHOUT ROWID;
CREATE TABLE suppressions (
  lookup TEXT PRIMARY KEY,
  reason TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sign_ups (
  id TEXT PRIMARY KEY,
  lookup TEXT NOT NULL,
  channel TEXT NOT NULL,
  sealed TEXT NOT NULL,
  request TEXT NOT NULL,
  code_mac TEXT,
  tries_left INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  confirmed_at INTEGER
) STRICT;
CREATE INDEX sign_ups_by_lookup ON sign_ups (lookup);
CREATE INDEX sign_ups_by_expiry ON sign_ups (expires_at);
CREATE TABLE messages_asked (
  lookup TEXT NOT NULL,
  at INTEGER NOT NULL
) STRICT;
CREATE INDEX messages_asked_by_lookup ON messages_asked (lookup, at);
CREATE INDEX messages_asked_by_time ON messages_asked (at);
`;
