import { forgotten } from './application-store.ts';
import type { SqliteDatabase } from './database.ts';

/** What people wrote to the office; for use inside a write that changes the person. */
type Written = {
  /** The contacts whose applications came from an address of this person. */
  contactsOf(ordinal: number): number[];
  /** Forgets the words of their applications (those of such contacts, too) and opinions; what nobody has answered goes altogether. */
  forget(ordinal: number): void;
  /** Gives what one person wrote to another, into whom they are merged. */
  join(from: number, to: number): void;
};

export const writtenOver = (db: SqliteDatabase): Written => {
  const ownLookups = 'SELECT lookup FROM addresses WHERE subscriber = ?1';
  const contacts = db.prepare(
    `SELECT applicant FROM applications WHERE lookup IN (${ownLookups}) AND applicant IS NOT NULL`,
  );
  const forgets = [
    `UPDATE applications SET ${forgotten} WHERE applicant = ?1 OR lookup IN (${ownLookups})`,
    "DELETE FROM opinions WHERE writer = ?1 AND state = 'open'",
    'UPDATE opinions SET beat = beat + 1, writer = NULL, written = NULL WHERE writer = ?1',
  ].map((sql) => db.prepare(sql));
  const joins = [
    'UPDATE applications SET beat = beat + 1, applicant = ?2 WHERE applicant = ?1',
    'UPDATE opinions SET beat = beat + 1, writer = ?2 WHERE writer = ?1',
  ].map((sql) => db.prepare(sql));
  return {
    contactsOf: (ordinal) => contacts.all(ordinal).map((row) => Number(row.applicant)),
    forget: (ordinal) => {
      for (const forget of forgets) forget.run(ordinal);
    },
    join: (from, to) => {
      if (from !== to) for (const join of joins) join.run(from, to);
    },
  };
};
