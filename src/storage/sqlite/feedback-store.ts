import { decodeCursor, encodeCursor } from '../../cursor.ts';
import type { Feedback } from '../../feedback/feedback.ts';
import type { FeedbackStore, SurveyAsk } from '../../feedback/feedback-store.ts';
import type { LinkVisit } from '../../feedback/machine-clicks.ts';
import { inChunks } from './chunks.ts';
import type { Row, SqliteDatabase } from './database.ts';

const feedbackOf = (row: Row): Feedback => ({
  id: String(row.id),
  kind: row.kind as Feedback['kind'],
  rating: row.rating === null ? null : Number(row.rating),
  comment: row.comment as string | null,
  push: String(row.push),
  item: String(row.item),
  version: Number(row.version),
  ordinal: Number(row.ordinal),
  channel: row.channel as Feedback['channel'],
  message: String(row.message),
  at: Number(row.at),
  machine: row.machine as Feedback['machine'],
});

const visitOf = (row: Row): LinkVisit => ({
  message: String(row.message),
  link: String(row.link),
  head: row.head === 1,
  at: Number(row.at),
});

const asksInOneWrite = 500;

/** Feedback over SQLite. */
export const sqliteFeedbackStore = (db: SqliteDatabase): FeedbackStore => {
  const known = db.prepare('SELECT 1 FROM feedback WHERE id = ?');
  const put = db.prepare(
    `INSERT INTO feedback (id, kind, rating, comment, push, item, version, ordinal, channel, message, at, machine)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET (rating, comment, at, machine) =
       (excluded.rating, excluded.comment, excluded.at, excluded.machine)`,
  );
  const between = db.prepare(
    `SELECT * FROM feedback WHERE machine IS NULL AND (at, id) > (?, ?) AND at >= ? AND at < ? ORDER BY at, id LIMIT ?`,
  );
  const said = db.prepare(
    `SELECT * FROM feedback WHERE machine IS NULL AND (comment IS NOT NULL OR kind = 'complaint') AND (at, id) < (?, ?)
     ORDER BY at DESC, id DESC LIMIT ?`,
  );
  const ofMessage = db.prepare('SELECT * FROM feedback WHERE message = ? ORDER BY at DESC, id DESC');
  const ofPerson = db.prepare('SELECT * FROM feedback WHERE ordinal = ? ORDER BY at DESC, id DESC LIMIT ?');
  const ofPush = db.prepare(
    'SELECT * FROM feedback WHERE push = ? AND ordinal >= ? AND ordinal <= ? AND machine IS NULL',
  );
  const visits = db.prepare('SELECT * FROM link_visits WHERE message = ? ORDER BY at, link, head');
  const visit = db.prepare(
    'INSERT INTO link_visits (message, at, link, head) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
  );
  const open = db.prepare('INSERT INTO opens (message, at) VALUES (?, ?) ON CONFLICT DO NOTHING');
  const opens = db.prepare('SELECT count(*) AS count FROM opens WHERE at >= ? AND at < ?');
  const remember = db.prepare(
    'INSERT INTO clicks_to_judge (id, message, at) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET at = excluded.at',
  );
  const ripe = db.prepare('SELECT * FROM clicks_to_judge WHERE at < ? ORDER BY at, id LIMIT ?');
  const letGo = db.prepare('DELETE FROM clicks_to_judge WHERE id = ? AND at = ?');
  const forget = (table: string, key: string) =>
    db.prepare(`DELETE FROM ${table} WHERE (${key}) IN (SELECT ${key} FROM ${table} WHERE at < ? LIMIT ?)`);
  const forgetVisits = forget('link_visits', 'message, at, link, head');
  const forgetOpens = forget('opens', 'message');
  const ask = db.prepare(
    `INSERT INTO surveys (ordinal, name, at) VALUES (?1, ?2, ?3)
     ON CONFLICT (ordinal) DO UPDATE SET name = ?2, at = ?3 WHERE name <> ?2 AND at <= ?3 - ?4`,
  );
  const asked = db.prepare('SELECT name FROM surveys WHERE ordinal = ?');

  const takeOne = ({ ordinal, of, at }: SurveyAsk, pauseMs: number): boolean =>
    ask.run(ordinal, of, at, pauseMs).changes > 0 || asked.get(ordinal)?.name === of;

  return {
    record: (feedback) =>
      db.write(() => {
        const { id, kind, rating, comment, push, item, version, ordinal, channel, message, at, machine } = feedback;
        const fresh = !known.get(id);
        put.run(id, kind, rating, comment, push, item, version, ordinal, channel, message, at, machine);
        return fresh;
      }),
    between: async (from, to, { cursor, limit }) => {
      const after = decodeCursor(cursor, [-1, ''] as [number, string]);
      const rows = (await db.read(() => between.all(...after, from, to, limit + 1))).map(feedbackOf);
      const last = rows.length > limit ? rows[limit - 1] : undefined;
      return { feedback: rows.slice(0, limit), next: last ? encodeCursor([last.at, last.id]) : null };
    },
    said: async ({ cursor, limit }) => {
      const before = decodeCursor(cursor, [Number.MAX_SAFE_INTEGER, ''] as [number, string]);
      const rows = (await db.read(() => said.all(...before, limit + 1))).map(feedbackOf);
      const last = rows.length > limit ? rows[limit - 1] : undefined;
      return { feedback: rows.slice(0, limit), next: last ? encodeCursor([last.at, last.id]) : null };
    },
    ofMessage: async (message) => (await db.read(() => ofMessage.all(message))).map(feedbackOf),
    ofPerson: async (ordinal, limit) => (await db.read(() => ofPerson.all(ordinal, limit))).map(feedbackOf),
    ofPush: async (push, first, last) => (await db.read(() => ofPush.all(push, first, last))).map(feedbackOf),
    visited: async ({ message, link, head, at }, most) => {
      const rows = await db.write(() => {
        if (visits.all(message).length < most) visit.run(message, at, link, head);
        return visits.all(message);
      });
      return rows.map(visitOf);
    },
    rememberClick: async ({ id, message, at }) => {
      await db.write(() => remember.run(id, message, at));
    },
    clicksBefore: async (before, limit) =>
      (await db.read(() => ripe.all(before, limit))).map(({ id, message, at }) => ({
        ...{ id: String(id), message: String(message), at: Number(at) },
      })),
    forgetClicks: async (clicks) => {
      await inChunks(clicks, asksInOneWrite, (part) => db.write(() => part.map(({ id, at }) => letGo.run(id, at))));
    },
    opened: async (message, at) => {
      await db.write(() => open.run(message, at));
    },
    opens: async (from, to) => Number((await db.read(() => opens.get(from, to)))?.count ?? 0),
    forgetVisits: async (before, limit) => {
      const gone = (await db.write(() => forgetVisits.run(before, limit))).changes;
      return gone < limit ? gone + (await db.write(() => forgetOpens.run(before, limit - gone))).changes : gone;
    },
    takeSurveys: async (asks, pauseMs) =>
      (await inChunks(asks, asksInOneWrite, (part) => db.write(() => part.map((one) => takeOne(one, pauseMs))))).flat(),
  };
};
