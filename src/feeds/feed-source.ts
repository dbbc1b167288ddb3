import type { Locale } from '../catalogue/topic.ts';
import { defineFollow, type Facet, facets, type Search, searchSchema, type Target } from '../subscriptions/follow.ts';
import { wellFormed } from '../xml-text.ts';

/** **feed source**: what a feed is of. A saved search is told by its facets alone: nothing of who saved it is in it. */
export type FeedSource =
  | { kind: 'latest' }
  | { kind: 'topic'; slug: string }
  | { kind: 'department'; name: string }
  | { kind: 'search'; search: Search };

/** How a feed is written: its last path segment. */
export const feedFiles = { atom: 'atom.xml', json: 'feed.json', calendar: 'calendar.ics' } as const;
export type FeedFormat = keyof typeof feedFiles;

const parts = ['all', 'any'] as const;

const folderOf = (source: FeedSource): string => {
  if (source.kind === 'topic') return `/feeds/topics/${encodeURIComponent(wellFormed(source.slug))}`;
  if (source.kind === 'department') return `/feeds/departments/${encodeURIComponent(wellFormed(source.name))}`;
  return source.kind === 'search' ? '/feeds/search' : '/feeds/latest';
};

/** The search in its normal form: equal searches have one feed. */
const normal = (search: Search): Search => {
  const { target } = defineFollow({ target: { search }, regions: null });
  return 'search' in target ? target.search : search;
};

const queryOf = (source: FeedSource): [string, string][] =>
  source.kind === 'search'
    ? parts.flatMap((part) =>
        Object.entries(normal(source.search)[part] ?? {}).flatMap(([facet, values]) =>
          values.map((value): [string, string] => [`${part}.${facet}`, value]),
        ),
      )
    : [];

/** The path and query of a feed; equal sources, equal paths. Without `locale` the feed is in the site's usual language. */
export const feedPath = (source: FeedSource, format: FeedFormat, locale?: Locale): string => {
  const query = new URLSearchParams(queryOf(source));
  if (locale) query.set('lang', locale);
  return `${folderOf(source)}/${feedFiles[format]}${query.size > 0 ? `?${query}` : ''}`;
};

const isFacet = (name: string): name is Facet => facets.some((facet) => facet === name);

/** The search of a feed's query (`all.topics=housing&any.keywords=rent`), or null where it asks for none or for what cannot be. */
export const searchOfQuery = (query: URLSearchParams): Search | null => {
  const search: { all: Record<string, string[]>; any: Record<string, string[]> } = { all: {}, any: {} };
  for (const [name, value] of query) {
    const [part, facet = ''] = name.split('.');
    const table = part === 'all' || part === 'any' ? search[part] : null;
    if (!table || !isFacet(facet)) continue;
    const values = table[facet] ?? [];
    table[facet] = values;
    values.push(value);
  }
  const parsed = searchSchema.safeParse(search);
  return parsed.success ? normal(parsed.data) : null;
};

/** The feed of what somebody follows; a single notice has none. */
export const sourceOfTarget = (target: Target): FeedSource | null => {
  if ('topic' in target) return { kind: 'topic', slug: target.topic };
  return 'search' in target ? { kind: 'search', search: target.search } : null;
};

/** What names a feed whatever its format: a part of its id. */
export const feedName = (source: FeedSource, locale: Locale): string =>
  feedPath(source, 'atom', locale).replace(`/${feedFiles.atom}`, '');
