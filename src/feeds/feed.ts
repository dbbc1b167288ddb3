import { createHash } from 'node:crypto';
import type { Trees } from '../catalogue/catalogue-service.ts';
import type { PublicItem } from '../catalogue/item-reader.ts';
import { wordsOf } from '../catalogue/item-words.ts';
import type { Locale } from '../catalogue/topic.ts';
import type { Text } from '../text.ts';

/** **entry**: an item as a feed tells it, whatever the format. Times in ms, addresses absolute. */
export type FeedEntry = {
  id: string;
  title: string;
  summary: string;
  /** Paragraphs of plain text, each of its lines apart. */
  paragraphs: string[][];
  lang: string;
  url: string;
  /** Where the office itself has published it. */
  source: string | null;
  /** Its alert in the Common Alerting Protocol, where it is or was an emergency. */
  alert: string | null;
  topics: { slug: string; title: string }[];
  departments: string[];
  published: number;
  /** The last change that was worth telling: a small correction changes the words and not this (RFC 4287 section 4.2.15). */
  updated: number;
};

export type Feed = {
  id: string;
  title: string;
  subtitle: string;
  author: string;
  locale: Locale;
  /** The page that the feed goes with, and the feed itself. */
  page: string;
  self: string;
  /** The WebSub hub that it is told to. */
  hub: string | null;
  entries: FeedEntry[];
};

/** What an entry needs beside its item. */
export type EntryTools = { publicUrl: string; locale: Locale; t: Text; trees: Pick<Trees, 'topics'> };

/**
 * An item's id in feeds: a URN of its own id alone (RFC 9562 section 5.8, a hash in the form of a UUID), so that it stays the
 * same in every feed, under every address of the site, and through every correction.
 */
export const entryId = (item: string): string => {
  const bytes = createHash('sha256').update(`bellman item ${item}`).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return `urn:uuid:${[hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')}`;
};

/** A feed's id: a tag URI (RFC 4151) of the site's host and what names the feed. */
export const feedId = (publicUrl: string, name: string): string =>
  `tag:${new URL(publicUrl).hostname.replace(/^\[|\]$/g, '')},2026:${name}`;

const paragraphsOf = (text: string): string[][] =>
  text
    .split(/\n\s*\n/)
    .map((block) =>
      block
        .split('\n')
        .map((line) => line.trim())
        .filter(Boolean),
    )
    .filter((lines) => lines.length > 0);

/** What the entry says: why it changed first, then the summary, then the text, as far as that is in the same language. */
const saidOf = (item: PublicItem, words: ReturnType<typeof wordsOf>, t: Text): string[][] => {
  const { content, changeNote, state, version } = item;
  const note =
    changeNote === null || version < 2 ? null : t(`feeds:${state === 'withdrawn' ? 'withdrawn' : 'changed'}`);
  return [
    ...(note === null ? [] : [[`${note} ${changeNote}`]]),
    ...paragraphsOf(words.summary),
    ...(words.lang === content.language ? paragraphsOf(content.body ?? '') : []),
  ];
};

/**
 * An item as an entry; `changedAt`: when its present version became public. A withdrawn one stays, and says so in its title: readers of a
 * feed must learn of it, too.
 */
export const entryOf = (item: PublicItem, changedAt: number, alert: boolean, tools: EntryTools): FeedEntry => {
  const { publicUrl, locale, t, trees } = tools;
  const { content } = item;
  const words = wordsOf(item, locale);
  const url = `${publicUrl}/items/${encodeURIComponent(item.id)}`;
  const title = (slug: string) => trees.topics.find((topic) => topic.slug === slug)?.title[locale] ?? slug;
  return {
    id: entryId(item.id),
    title: item.state === 'withdrawn' ? t('feeds:withdrawnTitle', { title: words.title }) : words.title,
    summary: words.summary,
    paragraphs: saidOf(item, words, t),
    lang: words.lang,
    url,
    source: words.url ?? content.url ?? null,
    alert: alert ? `${url}/cap.xml` : null,
    topics: content.topics.map((slug) => ({ slug, title: title(slug) })),
    departments: content.departments ?? [],
    published: item.publishedAt ?? changedAt,
    updated: changedAt,
  };
};

/** When the feed changed last; one that says nothing yet has never changed. */
export const updatedOf = ({ entries }: Pick<Feed, 'entries'>): number =>
  Math.max(0, ...entries.map(({ updated }) => updated));
