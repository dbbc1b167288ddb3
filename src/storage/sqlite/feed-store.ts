import type { FeedStore, HubState } from '../../feeds/feed-store.ts';
import type { SqliteDatabase } from './database.ts';

/** What the hub was told, over SQLite: one row. */
export const sqliteFeedStore = (db: SqliteDatabase): FeedStore => {
  const get = db.prepare('SELECT state FROM feed_hub WHERE id = 1');
  const put = db.prepare('INSERT OR REPLACE INTO feed_hub (id, state) VALUES (1, ?)');
  return {
    hubState: () =>
      db.read(() => {
        const row = get.get();
        return row ? (JSON.parse(String(row.state)) as HubState) : null;
      }),
    keepHubState: async (state) => {
      await db.write(() => put.run(JSON.stringify(state)));
    },
  };
};
