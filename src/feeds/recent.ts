import type { CatalogueService, Trees } from '../catalogue/catalogue-service.ts';
import type { ItemReader, PublicItem } from '../catalogue/item-reader.ts';
import type { Edges } from '../edges.ts';
import type { Storage } from '../storage/storage.ts';
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

type RecentTools = {
  items: Pick<ItemReader, 'search'>;
  catalogue: Pick<CatalogueService, 'trees'>;
  edges: Pick<Edges, 'monotonic'>;
};

/** What was looked at longer ago is looked at anew, whatever the mark says (ms). */
export const longestKeptMs = 60_000;

/**
 * The newest public items, kept in memory without their texts. Whatever changes in public comes to the top of the list, so
 * that a look reads from there down to the first page that holds no news; where the mark is the same there is nothing to see.
 */
export const makeRecentItems = (
  stores: Pick<Storage, 'items'>,
  { items, catalogue, edges }: RecentTools,
): RecentItems => {
  let kept: { rows: RecentItem[]; trees: Trees; mark: string; at: number } | null = null;
  let looking: Promise<RecentItem[]> | null = null;

  const readNews = async (known: RecentItem[], trees: Trees): Promise<RecentItem[]> => {
    const stamps = new Set(known.map(({ stamp }) => stamp));
    const read: RecentItem[] = [];
    for (let cursor: string | null = null; read.length < recentMost; ) {
      const page: Awaited<ReturnType<ItemReader['search']>> = await items.search({ cursor, limit: pageSize });
      const rows = page.rows.map((item) => remembered(item, trees));
      read.push(...rows);
      cursor = page.next;
      if (cursor === null || rows.every(({ stamp }) => stamps.has(stamp))) break;
      await othersTurn();
    }
    const fresh = new Set(read.map(({ id }) => id));
    return [...read, ...known.filter(({ id }) => !fresh.has(id))].slice(0, recentMost);
  };

  const look = async (): Promise<RecentItem[]> => {
    const [trees, mark] = [await catalogue.trees(), await stores.items.publicMark()];
    // a topic moved elsewhere is found elsewhere
    const still = kept?.trees === trees ? kept : null;
    if (still && still.mark === mark && edges.monotonic() - still.at < longestKeptMs) return still.rows;
    const at = edges.monotonic();
    const rows = await readNews(still?.rows ?? [], trees);
    kept = { rows, trees, mark, at };
    return rows;
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
