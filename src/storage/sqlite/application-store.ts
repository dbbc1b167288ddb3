import type { Application } from '../../applications/application.ts';
import type { ApplicationStore } from '../../applications/application-store.ts';
import { decodeCursor, encodeCursor } from '../../cursor.ts';
import type { Row, SqlInput, SqliteDatabase } from './database.ts';

type Columns =
  | 'id'
  | 'beat'
  | 'state'
  | 'applicant'
  | 'lookup'
  | 'written'
  | 'receivedOn'
  | 'dueOn'
  | 'owes'
  | 'createdAt';

const textOrNull = (value: Row[string] | undefined): string | null => (value == null ? null : String(value));

/** The rest of an application, as JSON; those that were registered before they had numbers are called by their id. */
type Facts = Omit<Application, Columns | 'openedAt'>;
const factsOf = (row: Row): Facts =>
  ({ number: String(row.id), ...(JSON.parse(String(row.facts)) as object) }) as Facts;

const applicationOf = (row: Row): Application => ({
  ...factsOf(row),
  id: String(row.id),
  beat: Number(row.beat),
  state: String(row.state) as Application['state'],
  applicant: row.applicant === null ? null : Number(row.applicant),
  lookup: textOrNull(row.lookup),
  written: textOrNull(row.written),
  receivedOn: String(row.received_on),
  dueOn: String(row.due_on),
  openedAt: row.opened_at === null ? null : Number(row.opened_at),
  owes: textOrNull(row.owes) as Application['owes'],
  createdAt: Number(row.created_at),
});

/** The values of a row behind its id and beat. */
const valuesOf = (application: Application): SqlInput[] => {
  const { id, beat, state, applicant, lookup, written, receivedOn, dueOn, openedAt, owes, createdAt, ...facts } =
    application;
  const item = facts.answer?.item ?? null;
  return [state, applicant, lookup, written, receivedOn, dueOn, openedAt, owes, createdAt, item, JSON.stringify(facts)];
};

const columns = 'state, applicant, lookup, written, received_on, due_on, opened_at, owes, created_at, item, facts';

/** What an application becomes whose applicant is forgotten. */
export const forgotten = `beat = beat + 1, applicant = NULL, written = NULL, lookup = NULL, owes = NULL,
  state = iif(state = 'answered', state, 'forgotten')`;

/** Applications over SQLite. */
export const sqliteApplicationStore = (db: SqliteDatabase): ApplicationStore => {
  const insert = db.prepare(
    `INSERT INTO applications (id, beat, ${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const one = db.prepare('SELECT * FROM applications WHERE id = ?');
  const replace = db.prepare(
    `UPDATE applications SET (${columns}) = (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?), beat = beat + 1 WHERE id = ? AND beat = ?`,
  );
  const page = db.prepare(
    `SELECT * FROM applications WHERE state = coalesce(?, state) AND (created_at, id) < (?, ?)
     ORDER BY created_at DESC, id DESC LIMIT ?`,
  );
  const open = db.prepare(
    `SELECT * FROM applications WHERE state IN ('received', 'postponed')
       AND (due_on BETWEEN ?1 AND ?2 OR facts ->> '$.firstDueOn' BETWEEN ?1 AND ?2)
     ORDER BY due_on, id LIMIT ?3`,
  );
  const received = db.prepare(
    'SELECT * FROM applications WHERE received_on BETWEEN ? AND ? ORDER BY received_on, id LIMIT ?',
  );
  const byApplicant = db.prepare(
    'SELECT * FROM applications WHERE applicant = ? ORDER BY created_at DESC, id DESC LIMIT ?',
  );
  const byItem = db.prepare('SELECT * FROM applications WHERE item = ? ORDER BY created_at, id');
  const owing = db.prepare('SELECT * FROM applications WHERE owes IS NOT NULL ORDER BY created_at LIMIT ?');
  const paid = db.prepare('UPDATE applications SET owes = NULL, beat = beat + 1 WHERE id = ? AND owes = ?');
  const opened = db.prepare(
    'UPDATE applications SET opened_at = ?, beat = beat + 1 WHERE id = ? AND opened_at IS NULL',
  );

  const forget = db.prepare(`UPDATE applications SET ${forgotten} WHERE id = ?`);

  return {
    insert: async (application) => {
      await db.write(() => insert.run(application.id, application.beat, ...valuesOf(application)));
    },
    get: async (id) => {
      const row = await db.read(() => one.get(id));
      return row ? applicationOf(row) : null;
    },
    replace: async (next) => (await db.write(() => replace.run(...valuesOf(next), next.id, next.beat))).changes === 1,
    list: async (state, { cursor, limit }) => {
      const before = decodeCursor(cursor, [Number.MAX_SAFE_INTEGER, '\u{10ffff}'] as [number, string]);
      const rows = (await db.read(() => page.all(state, ...before, limit + 1))).map(applicationOf);
      const last = rows.length > limit ? rows[limit - 1] : undefined;
      return { rows: rows.slice(0, limit), next: last ? encodeCursor([last.createdAt, last.id]) : null };
    },
    openBetween: async (from, to, limit) => (await db.read(() => open.all(from, to, limit))).map(applicationOf),
    received: async (from, to, limit) => (await db.read(() => received.all(from, to, limit))).map(applicationOf),
    ofApplicant: async (ordinal, limit) => (await db.read(() => byApplicant.all(ordinal, limit))).map(applicationOf),
    answeredBy: async (item) => (await db.read(() => byItem.all(item))).map(applicationOf),
    owing: async (limit) => (await db.read(() => owing.all(limit))).map(applicationOf),
    paid: async (id, debt) => {
      await db.write(() => paid.run(id, debt));
    },
    forget: async (id) => {
      await db.write(() => forget.run(id));
    },
    opened: async (id, at) => {
      await db.write(() => opened.run(at, id));
    },
  };
};
