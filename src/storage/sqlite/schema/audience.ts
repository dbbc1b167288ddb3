/**
 * Who changed, for those who follow changes; part of the first migration. One row a person, with the number of their newest
 * change: AUTOINCREMENT never gives a number again, and writers come one after the other, so a number becomes visible
 * after every smaller one.
 */
export const audienceSchema = `
CREATE TABLE changes (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  subscriber INTEGER NOT NULL UNIQUE
) STRICT;
`;
