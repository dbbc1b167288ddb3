import type { mongo } from 'mongoose';
import type { AskedFeed, FeedStore, HubState } from '../../feeds/feed-store.ts';

type AskedDocument = { _id: string; anchors: AskedFeed['anchors']; askedAt: number };
type HubDocument = { _id: 'hub'; state: HubState };

/** What the hub was told, over MongoDB: one document; and which feeds of saved searches were asked for. */
export const mongoFeedStore = (db: mongo.Db): FeedStore => {
  const hub = db.collection<HubDocument>('feed_hub');
  const asked = db.collection<AskedDocument>('asked_feeds');
  return {
    hubState: async () => (await hub.findOne({ _id: 'hub' }))?.state ?? null,
    noteAsked: async ({ path, anchors }, at, { most, since }) => {
      await asked.updateOne({ _id: path }, { $set: { anchors, askedAt: at } }, { upsert: true });
      const over = await asked
        .find({}, { projection: { askedAt: 1 } })
        .sort({ askedAt: -1, _id: 1 })
        .skip(most)
        .toArray();
      await asked.deleteMany({ _id: { $in: over.map(({ _id }) => _id) } });
      await asked.deleteMany({ askedAt: { $lt: since } });
    },
    askedByAnchors: async (anchors, since) => {
      const held = { anchors: { $in: [...anchors] }, askedAt: { $gte: since } };
      const found = await asked
        .find(held, { projection: { _id: 1 } })
        .sort({ _id: 1 })
        .toArray();
      return found.map(({ _id }) => _id);
    },
    keepHubState: async (state) => {
      await hub.updateOne({ _id: 'hub' }, { $set: { state } }, { upsert: true });
    },
  };
};
