/** Feeds of saved searches that somebody asked for, and the values by which an item finds those that it may be in. */
export const askedFeedsSchema = `
CREATE TABLE asked_feeds (path TEXT PRIMARY KEY, asked_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX asked_feeds_by_time ON asked_feeds (asked_at);
CREATE TABLE asked_feed_anchors (
  anchor TEXT NOT NULL,
  path TEXT NOT NULL REFERENCES asked_feeds (path) ON DELETE CASCADE,
  PRIMARY KEY (anchor, path)
) STRICT, WITHOUT ROWID;
CREATE INDEX asked_feed_anchors_of ON asked_feed_anchors (path);
`;
