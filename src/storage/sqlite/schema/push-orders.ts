/** Targeted pushes that wait for their time; what is asked for is JSON, because nothing looks into it. */
export const pushOrdersSchema = `
CREATE TABLE push_orders (
  id TEXT PRIMARY KEY,
  at INTEGER NOT NULL,
  failed TEXT,
  body TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX push_orders_by_time ON push_orders (at, id);
`;
