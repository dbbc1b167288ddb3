/**
 * Tables of browsing and profiles; part of the first migration. `profiles` is narrow, because the audience index reads all of
 * it: `levels` is "topic number,level,topic number,level", of topics with a positive sum, by topic number. The rest of a
 * profile lies apart, a line for each interest (storage/profile-content.ts). Visitors are HMACs of a browser's token.
 */
export const profilesSchema = `
CREATE TABLE profiles (
  subscriber INTEGER PRIMARY KEY,
  levels TEXT NOT NULL,
  last_active_day INTEGER
) STRICT;
CREATE TABLE profile_contents (
  subscriber INTEGER PRIMARY KEY,
  content TEXT NOT NULL
) STRICT;

CREATE TABLE browsing_events (
  no INTEGER PRIMARY KEY,
  subscriber INTEGER NOT NULL,
  at INTEGER NOT NULL,
  content TEXT NOT NULL
) STRICT;
CREATE INDEX browsing_events_of_person ON browsing_events (subscriber, at);
CREATE INDEX browsing_events_by_time ON browsing_events (at);

CREATE TABLE visitors (
  visitor TEXT PRIMARY KEY,
  subscriber INTEGER NOT NULL,
  tied_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX visitors_of_person ON visitors (subscriber);
`;
