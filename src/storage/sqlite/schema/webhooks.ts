/** Webhooks and their outbox; which pushes have ended since webhooks were last told. */
export const webhooksSchema = `
CREATE TABLE webhooks (
  no INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  url TEXT NOT NULL,
  events TEXT NOT NULL,
  secret TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE webhook_deliveries (
  webhook TEXT NOT NULL,
  event TEXT NOT NULL,
  type TEXT NOT NULL,
  body TEXT NOT NULL,
  at INTEGER NOT NULL,
  state TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  give_up_at INTEGER NOT NULL,
  response TEXT,
  token TEXT,
  leased_until INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (webhook, event)
) STRICT;
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (due_at) WHERE state = 'pending';
CREATE INDEX webhook_deliveries_newest ON webhook_deliveries (webhook, at, event);

ALTER TABLE pushes ADD COLUMN end_untold INTEGER NOT NULL DEFAULT 0;
CREATE INDEX pushes_end_untold ON pushes (no) WHERE end_untold = 1;
`;
