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
export const describeFeedStore = (name: string, open: () => Promise<Pair<FeedStore>>): void =>
  describe(`feed store: ${name}`, () => {
    let store: FeedStore;
    let other: FeedStore;
    eachPair(open, (stores) => {
      [store, other] = stores;
    });

    it('keeps one state of the hub, whole', async () => {
      expect(await store.hubState()).toBeNull();
      await store.keepHubState(makeState());
      expect(await other.hubState()).toStrictEqual(makeState());
      await other.keepHubState(makeState({ known: [], owed: [], attempts: 0 }));
      expect(await store.hubState()).toStrictEqual(makeState({ known: [], owed: [], attempts: 0 }));
    });
  });
