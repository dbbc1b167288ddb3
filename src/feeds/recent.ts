import type { CatalogueService, Trees } from '../catalogue/catalogue-service.ts';
import type { ItemReader, PublicItem } from '../catalogue/item-reader.ts';
import { factsOfItem, type ItemFacts } from '../subscriptions/matching.ts';

/** A public item as the newest ones are remembered: its stamp, and what searches and the hub ask of it. */
export type RecentItem = {
  id: string;
  /** Another one for each version, revision and state. */
  stamp: string;
  facets: ItemFacts['facets'];
  departments: string[];
};

export type RecentItems = {
  /** The newest public items, newest first. */
  list(): Promise<RecentItem[]>;
};

/** So many of the newest are searched: a feed tells what is new. */
const recentMost = 1_000;
const pageSize = 100;

const remembered = (item: PublicItem, trees: Trees): RecentItem => ({
  id: item.id,
  stamp: `${item.id} ${item.version}.${item.revision} ${item.state}`,
  facets: factsOfItem(item.id, { ...item.content, visibility: 'public' }, trees).facets,
  departments: item.content.departments ?? [],
});

const othersTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/**
 * The newest public items, kept in memory without their texts. Whatever changes in public comes to the top of the list, so
 * that a look reads from there down to the first page that holds no news.
 */
export const makeRecentItems = (
  { items }: { items: Pick<ItemReader, 'search'> },
  { catalogue }: { catalogue: Pick<CatalogueService, 'trees'> },
): RecentItems => {
  let kept: RecentItem[] = [];
  let keptTrees: Trees | null = null;
  let looking: Promise<RecentItem[]> | null = null;

  const look = async (): Promise<RecentItem[]> => {
    const trees = await catalogue.trees();
    // a topic moved elsewhere is found elsewhere
    if (trees !== keptTrees) kept = [];
    const known = new Set(kept.map(({ stamp }) => stamp));
    const read: RecentItem[] = [];
    for (let cursor: string | null = null; read.length < recentMost; ) {
      const page: Awaited<ReturnType<ItemReader['search']>> = await items.search({ cursor, limit: pageSize });
      const rows = page.rows.map((item) => remembered(item, trees));
      read.push(...rows);
      cursor = page.next;
      if (cursor === null || rows.every(({ stamp }) => known.has(stamp))) break;
      await othersTurn();
    }
    const fresh = new Set(read.map(({ id }) => id));
    kept = [...read, ...kept.filter(({ id }) => !fresh.has(id))].slice(0, recentMost);
    keptTrees = trees;
    return kept;
  };

  return {
    list: () => {
      looking ??= look().finally(() => {
        looking = null;
      });
      return looking;
    },
  };
};
