import { createHash } from 'node:crypto';
import type { CatalogueService, Trees } from '../catalogue/catalogue-service.ts';
import type { ItemReader, PublicItem } from '../catalogue/item-reader.ts';
import type { Locale } from '../catalogue/topic.ts';
import type { Config } from '../config.ts';
import type { Edges } from '../edges.ts';
import { makeLru } from '../lru.ts';
import { capMessage } from '../publishing/cap-message.ts';
import type { Storage } from '../storage/storage.ts';
import { type Text, textIn } from '../text.ts';
import { wellFormed } from '../xml-text.ts';
import { type AskedFeeds, searchMatcher } from './asked-feeds.ts';
import { calendarOf } from './calendar.ts';
import { entryOf, type Feed, type FeedEntry, feedId } from './feed.ts';
import { type FeedFormat, type FeedSource, feedName, feedPath } from './feed-source.ts';
import { longestKeptMs, type RecentItems } from './recent.ts';
import { atomOf, jsonFeedOf, mediaTypes } from './render.ts';

/** A document as it is sent. `etag` is a strong validator of the body; `changedAt`: when what it tells of changed last (ms). */
export type FeedDocument = {
  type: string;
  body: string;
  etag: string;
  changedAt: number;
  self: string;
  hub: string | null;
};

export type FeedService = {
  /** The newest items of a source, in one of the formats; null where there is no such topic. */
  document(source: FeedSource, format: FeedFormat, locale: Locale): Promise<FeedDocument | null>;
  /** The present alert of an item that is or was an emergency (CAP 1.2); null for any other. */
  alert(item: string): Promise<FeedDocument | null>;
};

export type FeedTools = {
  items: Pick<ItemReader, 'search' | 'read'>;
  recent: RecentItems;
  asked: Pick<AskedFeeds, 'note'>;
  catalogue: Pick<CatalogueService, 'trees'>;
  edges: Pick<Edges, 'monotonic'>;
  config: Pick<Config, 'publicUrl' | 'feeds'>;
};

const entriesMost = 50;
/** A calendar looks through so many of a topic's newest items for those with a deadline. */
const calendarMost = 500;
/** Documents kept ready; as long as nothing has changed in public they are sent as they are. */
const documentsKept = 300;

type Kept = { mark: string; at: number; trees: Trees; document: Promise<FeedDocument | null> };

const etagOf = (body: string): string => `"${createHash('sha256').update(body).digest('base64url').slice(0, 27)}"`;

/** Feeds of what is public: topics, departments, saved searches; for readers that come by and ask, and know nobody. */
export const makeFeedService = (stores: Pick<Storage, 'items'>, tools: FeedTools): FeedService => {
  const { items, recent, asked, catalogue, edges, config } = tools;
  const { publicUrl } = config;
  const { hub } = config.feeds;
  const kept = makeLru<Kept>(documentsKept);

  const ofSearch = async (source: Extract<FeedSource, { kind: 'search' }>, trees: Trees): Promise<PublicItem[]> => {
    const found = (await recent.list()).filter(searchMatcher(source.search, trees.regionParents));
    const read = await Promise.all(found.slice(0, entriesMost).map(({ id }) => items.read(id)));
    return read.flatMap((item) => item ?? []);
  };

  const newest = async (source: FeedSource, trees: Trees, most: number): Promise<PublicItem[]> => {
    if (source.kind === 'search') return ofSearch(source, trees);
    const within = {
      ...(source.kind === 'topic' ? { topic: source.slug } : {}),
      ...(source.kind === 'department' ? { department: source.name } : {}),
    };
    const rows: PublicItem[] = [];
    for (let cursor: string | null = null; rows.length < most; ) {
      const page: Awaited<ReturnType<ItemReader['search']>> = await items.search({
        ...within,
        cursor,
        limit: entriesMost,
      });
      rows.push(...page.rows);
      cursor = page.next;
      if (cursor === null) break;
    }
    return rows;
  };

  const entry = async (item: PublicItem, tools: Parameters<typeof entryOf>[3]): Promise<FeedEntry> => {
    const versions = await Promise.all(
      Array.from({ length: item.version - 1 }, (_, n) => stores.items.version(item.id, n + 2)),
    );
    const changedAt = versions.at(-1)?.at ?? item.publishedAt ?? item.updatedAt;
    const alert = [item, ...versions].some((one) => one?.content.urgency === 'emergency');
    return entryOf(item, changedAt, alert, tools);
  };

  const feedOf = async (source: FeedSource, format: FeedFormat, rows: PublicItem[], voice: Voice): Promise<Feed> => ({
    id: feedId(publicUrl, feedName(source, voice.locale)),
    title: titleOf(source, voice),
    subtitle: voice.t('feeds:subtitle'),
    author: voice.t('brand.name'),
    locale: voice.locale,
    page: `${publicUrl}${pageOf(source)}`,
    self: `${publicUrl}${feedPath(source, format, voice.locale)}`,
    hub,
    entries: await Promise.all(rows.map((item) => entry(item, { publicUrl, ...voice }))),
  });

  const write = async (source: FeedSource, format: FeedFormat, voice: Voice): Promise<FeedDocument> => {
    const rows = await newest(source, voice.trees, format === 'calendar' ? calendarMost : entriesMost);
    const self = `${publicUrl}${feedPath(source, format, voice.locale)}`;
    const changedAt = Math.max(0, ...rows.map(({ updatedAt }) => updatedAt));
    const body =
      format === 'calendar'
        ? calendarOf(rows, { ...voice, publicUrl, name: titleOf(source, voice), self })
        : (format === 'atom' ? atomOf : jsonFeedOf)(await feedOf(source, format, rows, voice));
    return {
      type: mediaTypes[format],
      body,
      etag: etagOf(body),
      changedAt,
      self,
      hub: format === 'calendar' ? null : hub,
    };
  };

  return {
    alert: async (id) => {
      const item = await items.read(id);
      if (!item) return null;
      const numbers = Array.from({ length: item.version }, (_, n) => n + 1);
      const versions = await Promise.all(numbers.map((version) => stores.items.version(id, version)));
      const { regions } = await catalogue.trees();
      const sound = versions.flatMap((version) => version ?? []);
      const body = capMessage(sound, { sender: config.feeds.capSender, publicUrl, regions });
      if (body === null) return null;
      const self = `${publicUrl}/items/${encodeURIComponent(id)}/cap.xml`;
      return { type: mediaTypes.cap, body, etag: etagOf(body), changedAt: item.updatedAt, self, hub: null };
    },
    document: async (source, format, locale) => {
      const trees = await catalogue.trees();
      if (source.kind === 'topic' && !trees.topicParents.has(source.slug)) return null;
      if (hub !== null) await asked.note(source, format, locale);
      const mark = await stores.items.publicMark();
      const key = feedPath(source, format, locale);
      const there = kept.get(key);
      if (there && there.mark === mark && there.trees === trees && edges.monotonic() - there.at < longestKeptMs)
        return there.document;
      const document = write(source, format, { locale, t: textIn(locale), trees });
      kept.set(key, { mark, at: edges.monotonic(), trees, document });
      document.catch(() => kept.delete(key));
      return document;
    },
  };
};

type Voice = { locale: Locale; t: Text; trees: Trees };

const titleOf = (source: FeedSource, { t, locale, trees }: Voice): string => {
  const topic = (slug: string) => trees.topics.find((one) => one.slug === slug)?.title[locale] ?? slug;
  if (source.kind === 'topic') return t('feeds:title', { name: topic(source.slug) });
  if (source.kind === 'department') return t('feeds:title', { name: source.name });
  if (source.kind === 'latest') return t('feeds:latest');
  const values = [source.search.all ?? {}, source.search.any ?? {}].flatMap((table) =>
    Object.entries(table).flatMap(([facet, some]) => (facet === 'topics' ? some.map(topic) : some)),
  );
  return t('feeds:title', { name: values.join(' · ') });
};

/** The page that shows the same. */
const pageOf = (source: FeedSource): string => {
  if (source.kind === 'topic') return `/topics/${encodeURIComponent(source.slug)}`;
  if (source.kind === 'department') return `/departments/${encodeURIComponent(wellFormed(source.name))}`;
  return source.kind === 'latest' ? '/' : '/search';
};
