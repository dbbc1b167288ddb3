import { generateAtomFeed, generateJsonFeed } from 'feedsmith';
import { xmlText } from '../xml-text.ts';
import { type Feed, type FeedEntry, updatedOf } from './feed.ts';

export const mediaTypes = {
  atom: 'application/atom+xml; charset=utf-8',
  json: 'application/feed+json; charset=utf-8',
  calendar: 'text/calendar; charset=utf-8',
  cap: 'application/cap+xml; charset=utf-8',
} as const;

const escapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
const escaped = (text: string): string => text.replace(/[&<>]/g, (sign) => escapes[sign] ?? sign);

const htmlOf = ({ paragraphs }: FeedEntry): string =>
  paragraphs.map((lines) => `<p>${lines.map((line) => escaped(xmlText(line))).join('<br>')}</p>`).join('');

const people = (names: string[]) => names.map((name) => ({ name: xmlText(name) }));

const atomEntry = (entry: FeedEntry) => ({
  id: entry.id,
  title: { value: xmlText(entry.title), type: 'text' },
  updated: new Date(entry.updated),
  published: new Date(entry.published),
  ...(entry.departments.length > 0 ? { authors: people(entry.departments) } : {}),
  links: [
    { rel: 'alternate', type: 'text/html', href: entry.url },
    ...(entry.source ? [{ rel: 'related', href: entry.source }] : []),
    ...(entry.alert ? [{ rel: 'alternate', type: 'application/cap+xml', href: entry.alert }] : []),
  ],
  categories: entry.topics.map(({ slug, title }) => ({ term: xmlText(slug), label: xmlText(title) })),
  summary: { value: xmlText(entry.summary), type: 'text' },
  content: { value: htmlOf(entry), type: 'html' },
  xml: { lang: entry.lang },
});

/** The feed as an Atom document (RFC 4287). */
export const atomOf = (feed: Feed): string =>
  generateAtomFeed({
    id: feed.id,
    title: { value: xmlText(feed.title), type: 'text' },
    subtitle: { value: xmlText(feed.subtitle), type: 'text' },
    updated: new Date(updatedOf(feed)),
    authors: people([feed.author]),
    links: [
      { rel: 'self', type: 'application/atom+xml', href: feed.self },
      { rel: 'alternate', type: 'text/html', href: feed.page },
      ...(feed.hub ? [{ rel: 'hub', href: feed.hub }] : []),
    ],
    entries: feed.entries.map(atomEntry),
    xml: { lang: feed.locale },
  });

const jsonItem = (entry: FeedEntry) => ({
  id: entry.id,
  url: entry.url,
  ...(entry.source ? { external_url: entry.source } : {}),
  title: entry.title,
  summary: entry.summary,
  content_html: htmlOf(entry),
  date_published: new Date(entry.published),
  date_modified: new Date(entry.updated),
  tags: entry.topics.map(({ title }) => title),
  ...(entry.departments.length > 0 ? { authors: people(entry.departments) } : {}),
  language: entry.lang,
  ...(entry.alert ? { attachments: [{ url: entry.alert, mime_type: 'application/cap+xml' }] } : {}),
});

/** The feed as a JSON Feed document (jsonfeed.org, version 1.1). */
export const jsonFeedOf = (feed: Feed): string =>
  JSON.stringify({
    ...(generateJsonFeed({
      title: feed.title,
      description: feed.subtitle,
      home_page_url: feed.page,
      feed_url: feed.self,
      language: feed.locale,
      authors: people([feed.author]),
      ...(feed.hub ? { hubs: [{ type: 'WebSub', url: feed.hub }] } : {}),
      items: feed.entries.map(jsonItem),
    }) as object),
    // the generator leaves an empty list out, which the format demands
    ...(feed.entries.length === 0 ? { items: [] } : {}),
  });
