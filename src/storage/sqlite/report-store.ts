import { unpackOrdinals } from '../../fanout/ordinals.ts';
import type { Cells, Measures } from '../../reports/counters.ts';
import { dimensions, spansOf } from '../../reports/counters.ts';
import type { Progress, ReportStore } from '../../reports/report-store.ts';
import { inChunks } from './chunks.ts';
import { bytes, type SqliteDatabase } from './database.ts';
import { reportPeople } from './report-people.ts';

const batchesInOneWrite = 500;
const progressName = 'progress';

type Queue = Pick<ReportStore, 'soil' | 'soilPeople' | 'due' | 'setPart' | 'leave'>;
type Sums = Pick<ReportStore, 'staleSpans' | 'partsOf' | 'setSums' | 'sums' | 'setOpens' | 'opens'>;

/** Which batches are to be counted, and what each counts. */
const queueOver = (db: SqliteDatabase): Queue => {
  const later = `ON CONFLICT (batch) DO UPDATE SET mark = mark + 1,
       due_at = min(coalesce(due_at, excluded.due_at), excluded.due_at)`;
  const soil = db.prepare(
    `INSERT INTO report_queue (batch, due_at, mark) SELECT value, ?, 1 FROM json_each(?) WHERE true ${later}`,
  );
  const soilPeople = db.prepare(
    `INSERT INTO report_queue (batch, due_at, mark)
     SELECT DISTINCT b.id, ?1, 1 FROM pushes p JOIN batches b ON b.push = p.no
       JOIN json_each(?3) j ON j.value >= b.first AND j.value <= b.last
     WHERE p.id = ?2 AND b.kind <> 'due' ${later}`,
  );
  const due = db.prepare(
    `SELECT q.batch, q.mark, b.ordinals, p.id AS push FROM report_queue q
       JOIN batches b ON b.id = q.batch JOIN pushes p ON p.no = b.push
     WHERE q.due_at <= ? ORDER BY q.due_at, q.batch LIMIT ?`,
  );
  const dayOf = db.prepare('SELECT day FROM report_parts WHERE batch = ?');
  const putPart = db.prepare(
    `INSERT INTO report_parts (batch, day, cells) VALUES (?, ?, ?)
     ON CONFLICT (batch) DO UPDATE SET day = excluded.day, cells = excluded.cells`,
  );
  const clean = db.prepare('UPDATE report_queue SET due_at = ? WHERE batch = ? AND mark = ?');
  const stale = db.prepare(
    `INSERT INTO report_stale (span, stale, mark) VALUES (?, 1, 1)
     ON CONFLICT (span) DO UPDATE SET stale = 1, mark = mark + 1`,
  );

  return {
    soil: async (batches, dueAt) => {
      await inChunks(batches, batchesInOneWrite, (part) => db.write(() => soil.run(dueAt, JSON.stringify(part))));
    },
    soilPeople: async (push, ordinals, dueAt) => {
      await inChunks(ordinals, batchesInOneWrite, (part) =>
        db.write(() => soilPeople.run(dueAt, push, JSON.stringify(part))),
      );
    },
    due: async (now, limit) =>
      (await db.read(() => due.all(now, limit))).map((row) => ({
        batch: String(row.batch),
        push: String(row.push),
        ordinals: unpackOrdinals(bytes(row.ordinals)),
        mark: Number(row.mark),
      })),
    leave: async (batch, mark) => {
      await db.write(() => clean.run(null, batch, mark));
    },
    setPart: async ({ batch, day, cells }, mark, again) => {
      const text = JSON.stringify(cells);
      await db.write(() => {
        const before = dayOf.get(batch)?.day;
        putPart.run(batch, day, text);
        for (const one of new Set(spansOf(day, String(before ?? day)))) stale.run(one);
        clean.run(again, batch, mark);
      });
    },
  };
};

/** The sums of days and months. */
const sumsOver = (db: SqliteDatabase): Sums => {
  const staleSpans = db.prepare(
    'SELECT span, mark FROM report_stale WHERE stale = 1 ORDER BY length(span) DESC, span DESC LIMIT ?',
  );
  const partsOf = db.prepare(
    'SELECT batch, cells FROM report_parts WHERE day = ? AND batch > ? ORDER BY batch LIMIT ?',
  );
  const putSum = db.prepare(
    `INSERT INTO report_sums (dimension, size, span, cells) VALUES (?1, length(?2), ?2, ?3)
     ON CONFLICT (dimension, size, span) DO UPDATE SET cells = excluded.cells`,
  );
  const dropSum = db.prepare('DELETE FROM report_sums WHERE dimension = ?1 AND size = length(?2) AND span = ?2');
  const summed = db.prepare('UPDATE report_stale SET stale = 0 WHERE span = ? AND mark = ?');
  const sums = db.prepare(
    `SELECT span, cells FROM report_sums
     WHERE dimension = ?1 AND size = length(?2) AND span >= ?2 AND span <= ?3 ORDER BY span`,
  );
  const putOpens = db.prepare(
    'INSERT INTO report_opens (day, opens) VALUES (?, ?) ON CONFLICT (day) DO UPDATE SET opens = excluded.opens',
  );
  const opens = db.prepare('SELECT sum(opens) AS opens FROM report_opens WHERE day >= ? AND day <= ?');

  return {
    staleSpans: async (limit) =>
      (await db.read(() => staleSpans.all(limit))).map((row) => ({ span: String(row.span), mark: Number(row.mark) })),
    partsOf: async (day, after, limit) =>
      (await db.read(() => partsOf.all(day, after ?? '', limit))).map((row) => ({
        batch: String(row.batch),
        day,
        cells: JSON.parse(String(row.cells)) as Cells,
      })),
    setSums: async (span, cells, mark) => {
      await db.write(() => {
        for (const dimension of dimensions) {
          const keys = cells[dimension];
          if (keys) putSum.run(dimension, span, JSON.stringify(keys));
          else dropSum.run(dimension, span);
        }
        summed.run(span, mark);
      });
    },
    sums: async (dimension, from, to) =>
      (await db.read(() => sums.all(dimension, from, to))).map((row) => ({
        span: String(row.span),
        cells: JSON.parse(String(row.cells)) as Record<string, Measures>,
      })),
    setOpens: async (day, count) => {
      await db.write(() => putOpens.run(day, count));
    },
    opens: async (from, to) => Number((await db.read(() => opens.get(from, to)))?.opens ?? 0),
  };
};

/** Read models of reports over SQLite. */
export const sqliteReportStore = (db: SqliteDatabase): ReportStore => {
  const progress = db.prepare('SELECT content FROM report_progress WHERE name = ?');
  const putProgress = db.prepare(
    'INSERT INTO report_progress (name, content) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET content = excluded.content',
  );
  return {
    ...queueOver(db),
    ...sumsOver(db),
    ...reportPeople(db),
    progress: async () => {
      const row = await db.read(() => progress.get(progressName));
      return row ? (JSON.parse(String(row.content)) as Progress) : { followedTo: 0, countedAt: null, revision: 0 };
    },
    setProgress: async (now) => {
      await db.write(() => putProgress.run(progressName, JSON.stringify(now)));
    },
  };
};
