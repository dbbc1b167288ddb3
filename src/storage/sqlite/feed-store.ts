import type { FeedStore, HubState } from '../../feeds/feed-store.ts';
import type { SqliteDatabase } from './database.ts';

/** What the hub was told, over SQLite: one row; and which feeds of saved searches were asked for. */
export const sqliteFeedStore = (db: SqliteDatabase): FeedStore => {
  const get = db.prepare('SELECT state FROM feed_hub WHERE id = 1');
  const put = db.prepare('INSERT OR REPLACE INTO feed_hub (id, state) VALUES (1, ?)');
  const note = db.prepare(
    'INSERT INTO asked_feeds VALUES (?, ?) ON CONFLICT DO UPDATE SET asked_at = excluded.asked_at',
  );
  const tie = db.prepare('INSERT INTO asked_feed_anchors VALUES (?, ?) ON CONFLICT DO NOTHING');
  const forget = db.prepare(
    `DELETE FROM asked_feeds WHERE asked_at < ? OR path IN (
       SELECT path FROM asked_feeds ORDER BY asked_at DESC, path LIMIT -1 OFFSET ?)`,
  );
  const byAnchors = db.prepare(
    `SELECT DISTINCT path FROM asked_feed_anchors JOIN asked_feeds USING (path)
     WHERE anchor IN (SELECT value FROM json_each(?)) AND asked_at >= ? ORDER BY path`,
  );
  return {
    hubState: () =>
      db.read(() => {
        const row = get.get();
        return row ? (JSON.parse(String(row.state)) as HubState) : null;
      }),
    noteAsked: async ({ path, anchors }, at, { most, since }) => {
      await db.write(() => {
        note.run(path, at);
        for (const anchor of anchors) tie.run(anchor, path);
        forget.run(since, most);
      });
    },
    askedByAnchors: async (anchors, since) =>
      (await db.read(() => byAnchors.all(JSON.stringify(anchors), since))).map(({ path }) => String(path)),
    keepHubState: async (state) => {
      await db.write(() => put.run(JSON.stringify(state)));
    },
  };
};
