import { lanes, rankOf } from '../../fanout/push.ts';
import {
  countedAtMost,
  type QueueDepth,
  type QueueName,
  type QueueStore,
  sumDepths,
} from '../../fanout/queue-store.ts';
import type { Row, SqliteDatabase } from './database.ts';
import { ledgerStatements } from './ledger/statements.ts';

const depth = (queue: QueueName, row: Row | undefined): QueueDepth => ({
  queue,
  waiting: Number(row?.waiting ?? 0),
  since: row?.since == null ? null : Number(row.since),
});

const laneAt = (row: Row): QueueName => lanes[Number(row.lane)] ?? 'bulk';

/** The port over SQLite: each queue is read along the index that its workers claim by. */
export const sqliteQueueStore = (db: SqliteDatabase): QueueStore => {
  const { duePushes } = ledgerStatements(db);
  const planning = db.prepare(
    `SELECT lane, 0 AS waiting, min(created_at) AS since FROM pushes
     WHERE finished_at IS NULL AND state = 'planning' GROUP BY lane`,
  );
  const batches = (which: string) =>
    db.prepare(
      `SELECT b.lane, sum(b.people) AS waiting, min(coalesce(b.since, p.created_at)) AS since
       FROM batches b LEFT JOIN pushes p ON p.no = b.push
       WHERE ${which} AND (b.push IS NULL OR p.state IN ('running', 'cancelled')) GROUP BY b.lane`,
    );
  const free = batches('b.open = 1 AND b.token IS NULL');
  const leased = batches('b.token IS NOT NULL');
  const counted = (rows: string) =>
    db.prepare(
      `SELECT count(*) AS waiting, min(due_at) AS since FROM (${rows} ORDER BY due_at LIMIT ${countedAtMost})`,
    );
  const due = counted(
    `SELECT due_at FROM deliveries WHERE push = ? AND state = ${rankOf('deferred')} AND due_at IS NOT NULL AND due_at <= ?`,
  );
  const digests = counted(
    `SELECT due_at FROM deliveries WHERE state = ${rankOf('digested')} AND due_at IS NOT NULL AND due_at <= ?`,
  );
  const transactional = counted('SELECT due_at FROM transactional WHERE due_at <= ?');
  const webhooks = counted(`SELECT due_at FROM webhook_deliveries WHERE state = 'pending' AND due_at <= ?`);

  return {
    depths: (now) =>
      db.read(() =>
        sumDepths([
          ...[...planning.all(), ...free.all(), ...leased.all()].map((row) => depth(laneAt(row), row)),
          ...duePushes.all(now).map((push) => depth(laneAt(push), due.get(push.no, now))),
          depth('digest', digests.get(now)),
          depth('transactional', transactional.get(now)),
          depth('webhooks', webhooks.get(now)),
        ]),
      ),
  };
};
