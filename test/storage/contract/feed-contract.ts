import type { FeedStore, HubState } from '../../../src/feeds/feed-store.ts';
import { eachPair, type Pair } from './pair.ts';

const makeState = (fields: Partial<HubState> = {}): HubState => ({
  known: ['item 1.0', '通知 2.1'],
  owed: ['https://notices.example.org/feeds/topics/services/atom.xml'],
  attempts: 2,
  since: 1_780_000_000_123,
  dueAt: 1_780_000_060_123,
  ...fields,
});

/** What every store keeps for feeds. */
export const describeFeedStore = (name: string, open: () => Promise<Pair<FeedStore>>): unknown =>
  describe(`feed store: ${name}`, () => {
    let store: FeedStore;
    let other: FeedStore;
    eachPair(open, (stores) => {
      [store, other] = stores;
    });

    it('remembers which feeds were asked for, those asked for last, and finds them by any of their values', async () => {
      const since = 1_780_000_000_000;
      const all = { most: 9, since };
      const water = { path: '/feeds/search/atom.xml?any.keywords=水', anchors: ['keywords:水', 'keywords:water'] };
      const rent = { path: '/feeds/search/feed.json?all.topics=housing', anchors: ['topics:housing'] };
      const held = async (anchors: string[], from = since) => (await other.askedByAnchors(anchors, from)).sort();
      expect(await held(['keywords:水'])).toEqual([]);
      await store.noteAsked(water, since, all);
      await other.noteAsked(rent, since + 1, all);
      await other.noteAsked(rent, since + 2, all);
      expect(await held(['keywords:水', 'keywords:water', 'language:zh'])).toEqual([water.path]);
      expect(await held(['topics:housing', 'keywords:water'])).toEqual([water.path, rent.path].sort());
      expect(await held(['topics:housing', 'keywords:water'], since + 1)).toEqual([rent.path]);
      expect(await held([])).toEqual([]);
      await store.noteAsked(water, since + 3, { most: 1, since });
      expect(await held(['topics:housing', 'keywords:water'])).toEqual([water.path]);
      await store.noteAsked(rent, since + 9, { most: 9, since: since + 4 });
      expect(await held(['topics:housing', 'keywords:water'])).toEqual([rent.path]);
    });

    it('finds feeds by a thousand values', async () => {
      await store.noteAsked({ path: '/a?x', anchors: ['keywords:999'] }, 5, { most: 9, since: 0 });
      const anchors = Array.from({ length: 1_000 }, (_, n) => `keywords:${n}`);
      expect(await other.askedByAnchors(anchors, 0)).toEqual(['/a?x']);
    });

    it('keeps one state of the hub, whole', async () => {
      expect(await store.hubState()).toBeNull();
      await store.keepHubState(makeState());
      expect(await other.hubState()).toStrictEqual(makeState());
      await other.keepHubState(makeState({ known: [], owed: [], attempts: 0 }));
      expect(await store.hubState()).toStrictEqual(makeState({ known: [], owed: [], attempts: 0 }));
    });
  });
