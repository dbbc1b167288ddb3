/** Tables of catalogue; part of the first migration. `no` keeps the order in which things were added. */
export const catalogueSchema = `
CREATE TABLE topics (
  no INTEGER PRIMARY KEY,
  slug TEXT NOT NULL UNIQUE,
  title TEXT NOT NULL,
  parent TEXT
) STRICT;
CREATE TABLE regions (
  no INTEGER PRIMARY KEY,
  code TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  parent TEXT
) STRICT;
CREATE TABLE attributes (
  no INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  type TEXT NOT NULL,
  choices TEXT,
  title TEXT NOT NULL
) STRICT;
`;
