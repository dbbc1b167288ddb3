/**
 * `fewer`: suggestions come half as often; `plain_links`: no click of theirs is counted.
 * What came back. Machines' rows are kept and left out of the index that figures are read by. Visits are what tells machines
 * apart from people; opens stand apart, because nobody knows who opened. A person's last survey is one row.
 */
export const feedbackSchema = `
CREATE TABLE feedback (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  rating INTEGER,
  comment TEXT,
  push TEXT NOT NULL,
  item TEXT NOT NULL,
  version INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  channel TEXT NOT NULL,
  message TEXT NOT NULL,
  at INTEGER NOT NULL,
  machine TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX feedback_of_people ON feedback (at, id) WHERE machine IS NULL;
CREATE INDEX feedback_by_message ON feedback (message);
CREATE INDEX feedback_by_person ON feedback (ordinal, at);

CREATE TABLE link_visits (
  message TEXT NOT NULL,
  at INTEGER NOT NULL,
  link TEXT NOT NULL,
  head INTEGER NOT NULL,
  PRIMARY KEY (message, at, link, head)
) STRICT, WITHOUT ROWID;
CREATE INDEX link_visits_by_time ON link_visits (at);

CREATE TABLE opens (
  message TEXT PRIMARY KEY,
  at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX opens_by_time ON opens (at);

CREATE TABLE surveys (
  ordinal INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  at INTEGER NOT NULL
) STRICT;

ALTER TABLE subscribers ADD COLUMN fewer INTEGER NOT NULL DEFAULT 0;
ALTER TABLE subscribers ADD COLUMN plain_links INTEGER NOT NULL DEFAULT 0;
`;
