import { AppError } from '../errors.ts';
import type { Item, ItemContent, ItemVersion } from '../publishing/item.ts';
import type { Storage } from '../storage/storage.ts';
import type { CatalogueService, Trees } from './catalogue-service.ts';
import { withAncestors } from './topic.ts';

/** What anybody may see of an item: neither who wrote and approved it nor what waits for review. Times in ms. */
export type PublicItem = {
  id: string;
  externalId: string | null;
  state: 'published' | 'withdrawn';
  version: number;
  revision: number;
  content: Omit<ItemContent, 'visibility'>;
  /** What happened last, in words for readers; null if nothing but the publication did. */
  changeNote: string | null;
  publishedAt: number | null;
  /** Not before the last change that anybody could see; ms. */
  updatedAt: number;
};

/** One thing that happened to an item in public. */
export type PublicChange = Pick<ItemVersion, 'version' | 'kind' | 'note' | 'at'>;

type ItemSearch = {
  q?: string | null | undefined;
  /** A topic's slug; items of its descendants are found too. */
  topic?: string | null | undefined;
  /** A department's name, to the letter. */
  department?: string | undefined;
  /** Left out: both. */
  state?: PublicItem['state'] | null | undefined;
  cursor: string | null;
  limit: number;
};

/** The read side of items for citizens: public items that are published or withdrawn; a targeted one is never found here. */
export type ItemReader = {
  /** Newest first. Throws `invalid` for an unknown topic or a cursor that is none. */
  search(search: ItemSearch): Promise<{ rows: PublicItem[]; next: string | null }>;
  /**
   * How many items were published or corrected since then (ms, to the hour), by topic; each counts for what stands above its
   * topics, too.
   */
  newsSince(since: number): Promise<ReadonlyMap<string, number>>;
  /** One item with its history, newest first; null for whatever the public may not see. */
  read(id: string): Promise<(PublicItem & { history: PublicChange[] }) | null>;
};

const isShown = (item: Item): item is Item & { state: PublicItem['state'] } =>
  (item.state === 'published' || item.state === 'withdrawn') &&
  item.version > 0 &&
  item.content.visibility === 'public';

const shown = ({ content, ...item }: Item & { state: PublicItem['state'] }): PublicItem => {
  const { visibility, ...told } = content;
  const { id, externalId, state, version, revision, changeNote, publishedAt, updatedAt } = item;
  return { id, externalId, state, version, revision, content: told, changeNote, publishedAt, updatedAt };
};

const hourMs = 3_600_000;
/** More news than that in a week are not counted one by one. */
const newsMost = 2_000;

const withDescendants = (topic: string, { topics, topicParents }: Trees): string[] => {
  if (!topicParents.has(topic))
    throw new AppError('invalid', 'there is no such topic', {
      faults: [{ path: 'topic', message: `unknown topic: ${topic}` }],
    });
  return topics.flatMap(({ slug }) => (withAncestors(topicParents, slug).includes(topic) ? [slug] : []));
};

export const makeItemReader = (
  { items }: Pick<Storage, 'items'>,
  { catalogue }: { catalogue: Pick<CatalogueService, 'trees'> },
): ItemReader => {
  const historyOf = async ({ id, version: last }: Item): Promise<PublicChange[]> => {
    const changes: PublicChange[] = [];
    for (let number = last; number > 0; number--) {
      const row = await items.version(id, number);
      if (row) changes.push({ version: row.version, kind: row.kind, note: row.note, at: row.at });
    }
    return changes;
  };

  const newsOf = async (since: number, parents: Trees['topicParents']): Promise<Map<string, number>> => {
    const counts = new Map<string, number>();
    for (const topics of await items.topicsSince(since, newsMost))
      for (const slug of new Set(topics.flatMap((topic) => withAncestors(parents, topic))))
        counts.set(slug, (counts.get(slug) ?? 0) + 1);
    return counts;
  };
  // every visit to the front page asks; it is counted anew when what is public has changed
  let news: { key: string; counts: ReadonlyMap<string, number> } = { key: '', counts: new Map() };

  return {
    search: async ({ q, topic, department, state, cursor, limit }) => {
      const topics = topic === undefined || topic === null ? null : withDescendants(topic, await catalogue.trees());
      const filter = { visibility: 'public', published: true } as const;
      const { rows, next } = await items.list(
        {
          ...filter,
          ...(q ? { q } : {}),
          ...(topics ? { topics } : {}),
          ...(department === undefined ? {} : { department }),
          ...(state ? { state } : {}),
        },
        { cursor, limit },
      );
      return { rows: rows.filter(isShown).map(shown), next };
    },
    newsSince: async (since) => {
      const { topicParents } = await catalogue.trees();
      const hour = Math.floor(since / hourMs);
      const key = `${hour} ${topicParents.size} ${await items.publicMark()}`;
      if (news.key !== key) news = { key, counts: await newsOf(hour * hourMs, topicParents) };
      return news.counts;
    },
    read: async (id) => {
      const item = await items.get({ id });
      return item && isShown(item) ? { ...shown(item), history: await historyOf(item) } : null;
    },
  };
};
