import type { mongo } from 'mongoose';
import type { FeedStore, HubState } from '../../feeds/feed-store.ts';

type HubDocument = { _id: 'hub'; state: HubState };

/** What the hub was told, over MongoDB: one document. */
export const mongoFeedStore = (db: mongo.Db): FeedStore => {
  const hub = db.collection<HubDocument>('feed_hub');
  return {
    hubState: async () => (await hub.findOne({ _id: 'hub' }))?.state ?? null,
    keepHubState: async (state) => {
      await hub.updateOne({ _id: 'hub' }, { $set: { state } }, { upsert: true });
    },
  };
};
