/**
 * Calendar years, applications, opinions, and warnings given. `facts` is JSON; the columns beside it are what queries filter,
 * order or guard by. `written` is sealed: what people wrote and, of a contact, where they are answered. `contact` marks
 * subscribers who are no more than the reply address of their application.
 */
export const applicationsSchema = `
ALTER TABLE subscribers ADD COLUMN contact INTEGER NOT NULL DEFAULT 0;

CREATE TABLE calendar_years (
  year INTEGER PRIMARY KEY,
  days TEXT NOT NULL
) STRICT;

CREATE TABLE applications (
  id TEXT PRIMARY KEY,
  beat INTEGER NOT NULL,
  state TEXT NOT NULL,
  applicant INTEGER,
  lookup TEXT,
  written TEXT,
  received_on TEXT NOT NULL,
  due_on TEXT NOT NULL,
  opened_at INTEGER,
  item TEXT,
  owes TEXT,
  created_at INTEGER NOT NULL,
  facts TEXT NOT NULL
) STRICT;
CREATE INDEX applications_newest ON applications (created_at, id);
CREATE INDEX applications_open ON applications (due_on, id) WHERE state IN ('received', 'postponed');
CREATE INDEX applications_received ON applications (received_on, id);
CREATE INDEX applications_by_applicant ON applications (applicant) WHERE applicant IS NOT NULL;
CREATE INDEX applications_by_lookup ON applications (lookup) WHERE lookup IS NOT NULL;
CREATE INDEX applications_by_item ON applications (item) WHERE item IS NOT NULL;
CREATE INDEX applications_owing ON applications (created_at) WHERE owes IS NOT NULL;

CREATE TABLE opinions (
  id TEXT PRIMARY KEY,
  beat INTEGER NOT NULL,
  state TEXT NOT NULL,
  item TEXT NOT NULL,
  writer INTEGER,
  written TEXT,
  published_at INTEGER,
  owes TEXT,
  at INTEGER NOT NULL,
  facts TEXT NOT NULL
) STRICT;
CREATE INDEX opinions_newest ON opinions (at, id);
CREATE INDEX opinions_of_item ON opinions (item, published_at);
CREATE INDEX opinions_by_writer ON opinions (writer, at) WHERE writer IS NOT NULL;
CREATE INDEX opinions_owing ON opinions (at) WHERE owes IS NOT NULL;

CREATE TABLE deadline_warnings (
  key TEXT PRIMARY KEY,
  at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX items_formed ON items (json_extract(content, '$.formedAt'), id)
  WHERE json_extract(content, '$.formedAt') IS NOT NULL;
`;
