import type { Trees } from '../catalogue/catalogue-service.ts';
import type { Locale } from '../catalogue/topic.ts';
import type { Edges } from '../edges.ts';
import type { Log } from '../log.ts';
import { makeLru } from '../lru.ts';
import type { Storage } from '../storage/storage.ts';
import { defineFollow, type Search } from '../subscriptions/follow.ts';
import { anchorsOfItem, followMatches, type ItemFacts } from '../subscriptions/matching.ts';
import { type FeedFormat, type FeedSource, feedPath, searchOfQuery } from './feed-source.ts';
import type { RecentItem } from './recent.ts';

/**
 * Feeds of saved searches that somebody asked for: only of those can a hub have subscribers, for its address stands in the feed. What people
 * follow and nobody reads as a feed is told to no hub.
 */
export type AskedFeeds = {
  /** Remembers that a feed was asked for. Never throws: the reader gets the feed all the same. */
  note(source: FeedSource, format: FeedFormat, locale: Locale): Promise<void>;
  /** The paths of those that one of the items is in. */
  changedBy(items: readonly RecentItem[], regionParents: Trees['regionParents']): Promise<string[]>;
};

/** So many are remembered, those asked for last. */
const feedsMost = 2_000;
/** Longer than any hub leases a subscription without coming by. */
const rememberedMs = 90 * 86_400_000;
/** That a feed is asked for is written no more often. */
const notedEveryMs = 86_400_000;
/** Longer addresses than this are read, not remembered. */
const pathMost = 2_000;

/** A search asks for facets alone: the rest of an item is not looked at. */
const factsOf = ({ id, facets }: RecentItem, regionParents: Trees['regionParents']): ItemFacts => {
  return { id, facets, topics: [], regions: [], areas: [], text: [], regionParents };
};

/** What tells whether an item is in the feed of a search. */
export const searchMatcher = (
  search: Search,
  regionParents: Trees['regionParents'],
): ((item: RecentItem) => boolean) => {
  const definition = defineFollow({ target: { search }, regions: null });
  return (item) => followMatches(definition, factsOf(item, regionParents));
};

const searchOfPath = (path: string): Search | null => searchOfQuery(new URLSearchParams(path.slice(path.indexOf('?'))));

export const makeAskedFeeds = (
  { feeds }: Pick<Storage, 'feeds'>,
  { edges, log }: { edges: Pick<Edges, 'now'>; log: Log },
): AskedFeeds => {
  const noted = makeLru<number>(feedsMost);

  return {
    note: async (source, format, locale) => {
      if (source.kind !== 'search' || format === 'calendar') return;
      const path = feedPath(source, format, locale);
      const [now, before] = [edges.now(), noted.get(path)];
      if (path.length > pathMost || (before !== undefined && now - before < notedEveryMs)) return;
      noted.set(path, now);
      const { anchors } = defineFollow({ target: { search: source.search }, regions: null });
      try {
        await feeds.noteAsked({ path, anchors }, now, { most: feedsMost, since: now - rememberedMs });
      } catch (error) {
        noted.delete(path);
        log.warn({ error }, 'that a feed was asked for could not be kept');
      }
    },
    changedBy: async (items, regionParents) => {
      const since = edges.now() - rememberedMs;
      const paths = new Set<string>();
      for (const item of items)
        for (const path of await feeds.askedByAnchors(anchorsOfItem(factsOf(item, regionParents)), since)) {
          const search = paths.has(path) ? null : searchOfPath(path);
          if (search && searchMatcher(search, regionParents)(item)) paths.add(path);
        }
      return [...paths];
    },
  };
};
