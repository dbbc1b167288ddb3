/** Places taken by suggestions, by ISO week, so that old weeks go in one stretch. */
export const capsSchema = `
CREATE TABLE cap_slots (
  week TEXT NOT NULL,
  ordinal INTEGER NOT NULL,
  name TEXT NOT NULL,
  day TEXT NOT NULL,
  PRIMARY KEY (week, ordinal, name)
) STRICT, WITHOUT ROWID;
`;
