import { decodeCursor, encodeCursor } from '../../cursor.ts';
import type { Webhook, WebhookDelivery } from '../../webhooks/webhook.ts';
import type { WebhookStore } from '../../webhooks/webhook-store.ts';
import { inChunks } from './chunks.ts';
import type { Row, SqliteDatabase } from './database.ts';

const webhookOf = (row: Row): Webhook => ({
  id: String(row.id),
  url: String(row.url),
  events: JSON.parse(String(row.events)),
  secret: String(row.secret),
  createdAt: Number(row.created_at),
});

const deliveryOf = (row: Row): WebhookDelivery => ({
  webhook: String(row.webhook),
  event: String(row.event),
  type: row.type as WebhookDelivery['type'],
  body: String(row.body),
  at: Number(row.at),
  state: row.state as WebhookDelivery['state'],
  attempts: Number(row.attempts),
  dueAt: Number(row.due_at),
  giveUpAt: Number(row.give_up_at),
  response: row.response as string | null,
});

const inOneWrite = 200;
/** Above every key of a delivery. */
const newest: [number, string] = [Number.MAX_SAFE_INTEGER, '\u{10ffff}'];

/** Webhooks over SQLite: a claim is one `UPDATE … RETURNING`. */
export const sqliteWebhookStore = (db: SqliteDatabase): WebhookStore => {
  const insert = db.prepare('INSERT INTO webhooks (id, url, events, secret, created_at) VALUES (?, ?, ?, ?, ?)');
  const one = db.prepare('SELECT * FROM webhooks WHERE id = ?');
  const all = db.prepare('SELECT * FROM webhooks ORDER BY no');
  const drop = db.prepare('DELETE FROM webhooks WHERE id = ?');
  const dropDeliveries = db.prepare('DELETE FROM webhook_deliveries WHERE webhook = ?');
  const enqueue = db.prepare(
    `INSERT INTO webhook_deliveries (webhook, event, type, body, at, state, attempts, due_at, give_up_at, response)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
  );
  const dueRows = `FROM webhook_deliveries WHERE state = 'pending' AND due_at <= ? AND leased_until <= ?`;
  const due = db.prepare(`SELECT 1 ${dueRows} LIMIT 1`);
  const claim = db.prepare(
    `UPDATE webhook_deliveries SET token = ?, leased_until = ? WHERE rowid IN (
       SELECT rowid ${dueRows} ORDER BY due_at LIMIT ?) RETURNING *`,
  );
  const settle = db.prepare(
    `UPDATE webhook_deliveries SET state = ?, attempts = ?, due_at = ?, response = ?, token = NULL, leased_until = 0
     WHERE webhook = ? AND event = ? AND token = ?`,
  );
  const page = db.prepare(
    `SELECT * FROM webhook_deliveries WHERE webhook = ? AND (at, event) < (?, ?) AND state = coalesce(?, state)
     ORDER BY at DESC, event DESC LIMIT ?`,
  );
  const again = `UPDATE webhook_deliveries SET state = 'pending', attempts = 0, due_at = ?, give_up_at = ?, token = NULL
     WHERE webhook = ? AND leased_until <= ?`;
  const replayOne = db.prepare(`${again} AND event = ?`);
  const replaySpan = db.prepare(`${again} AND at BETWEEN ? AND ?`);
  const forget = db.prepare(`DELETE FROM webhook_deliveries WHERE state <> 'pending' AND at < ?`);

  return {
    insert: async ({ id, url, events, secret, createdAt }) => {
      await db.write(() => insert.run(id, url, JSON.stringify(events), secret, createdAt));
    },
    get: async (id) => {
      const row = await db.read(() => one.get(id));
      return row ? webhookOf(row) : null;
    },
    list: async () => (await db.read(() => all.all())).map(webhookOf),
    remove: (id) =>
      db.write(() => {
        const removed = drop.run(id).changes > 0;
        dropDeliveries.run(id);
        return removed;
      }),
    enqueue: async (deliveries) => {
      await inChunks(deliveries, inOneWrite, (part) =>
        db.write(() => {
          for (const { webhook, event, type, body, at, state, attempts, dueAt, giveUpAt, response } of part)
            enqueue.run(webhook, event, type, body, at, state, attempts, dueAt, giveUpAt, response);
        }),
      );
    },
    claim: async (token, now, leaseMs, limit) => {
      // a look first: most polls find nothing, and a read never waits for a writer
      if (!(await db.read(() => due.get(now, now)))) return [];
      const rows = await db.write(() => claim.all(token, now + leaseMs, now, now, limit));
      return rows.map(deliveryOf).sort((a, b) => a.dueAt - b.dueAt || (a.event < b.event ? -1 : 1));
    },
    settle: async ({ webhook, event }, token, to) => {
      const { state, attempts, dueAt, response } = to;
      return (await db.write(() => settle.run(state, attempts, dueAt, response, webhook, event, token))).changes > 0;
    },
    page: async (webhook, state, { cursor, limit }) => {
      const before = decodeCursor(cursor, newest);
      const rows = (await db.read(() => page.all(webhook, ...before, state, limit + 1))).map(deliveryOf);
      const last = rows.length > limit ? rows[limit - 1] : undefined;
      return { rows: rows.slice(0, limit), next: last ? encodeCursor([last.at, last.event]) : null };
    },
    replay: async (webhook, which, now, giveUpAt) => {
      const run = () =>
        'event' in which
          ? replayOne.run(now, giveUpAt, webhook, now, which.event)
          : replaySpan.run(now, giveUpAt, webhook, now, which.from, which.to);
      return (await db.write(run)).changes;
    },
    forgetBefore: async (before) => {
      await db.write(() => forget.run(before));
    },
  };
};
