import { type AtomFeed, parseAtomFeed, parseRssFeed, type RssFeed } from 'feedsmith';
import { type CapFacts, capFacts, capFate } from './cap.ts';
import {
  checkedContent,
  fitTexts,
  formedOn,
  languageTag,
  linkPart,
  plainText,
  type ReadEntry,
  readTime,
  type SourceEntry,
  words,
} from './entry.ts';
import { demandWellFormed, isWellFormed, type OpenFeed, openFeed, parseXml, type XmlNode } from './xml.ts';

/** What every entry of a feed takes from the feed around it. */
type Around = { language: string | undefined; base: string | undefined; capPrefix: string | undefined };

type Taken = {
  id: string | undefined;
  title: string;
  summary: string;
  body: string;
  link: string | undefined;
  categories: string[];
  language: string | undefined;
  date: string | undefined;
};

const capNamespace = /\sxmlns:([\w.-]+)\s*=\s*["']urn:oasis:names:tc:emergency:cap:1\.\d["']/;

/** Takes a namespace prefix off all names below. */
const unprefixed = (node: XmlNode, prefix: string): XmlNode => {
  if (typeof node === 'string') return node;
  if (Array.isArray(node)) return node.map((one) => unprefixed(one, prefix));
  const bare = (name: string): string => (name.startsWith(prefix) ? name.slice(prefix.length) : name);
  return Object.fromEntries(Object.entries(node).map(([name, child]) => [bare(name), unprefixed(child, prefix)]));
};

/** The CAP fields that the NWS index puts beside an entry's own, as an `info`; undefined where there are none. */
const capFieldsOf = (xml: string, prefix: string | undefined): XmlNode | undefined => {
  if (prefix === undefined || !xml.includes(`<${prefix}:`)) return undefined;
  const [entry] = Object.values(parseXml(xml));
  if (typeof entry !== 'object' || Array.isArray(entry)) return undefined;
  const fields = Object.entries(entry).filter(([name]) => name.startsWith(`${prefix}:`));
  return unprefixed(Object.fromEntries(fields), `${prefix}:`);
};

const noFate = { withdrawn: false, draftOnly: false, update: false };

const entryOf = (taken: Taken, around: Around, xml: string): SourceEntry => {
  const externalId = taken.id?.trim() || taken.link?.trim();
  if (!externalId) throw new Error('has neither an id nor a link');
  const info = capFieldsOf(xml, around.capPrefix);
  const facts: CapFacts | null = info === undefined ? null : capFacts([info], (one) => [one]);
  const keywords = words([...taken.categories, ...(facts?.content.keywords ?? [])]);
  const category = facts?.content.category ?? words(taken.categories)[0];
  const language = languageTag(taken.language ?? around.language, info === undefined ? 'und' : 'en-US');
  return {
    externalId,
    references: [],
    ...(info === undefined ? noFate : capFate(info)),
    content: checkedContent({
      ...fitTexts(taken.title, taken.summary, [taken.body, facts?.areas.join('; ')]),
      ...facts?.content,
      ...linkPart(taken.link, around.base),
      language,
      ...(category ? { category } : {}),
      ...(keywords.length > 0 ? { keywords } : {}),
      ...(facts ? { regions: facts.regions.regions, documentType: 'alert' } : {}),
      ...formedOn(readTime(taken.date)),
    }),
    newRegions: facts?.regions.newRegions ?? [],
    tableRegions: facts?.regions.tableRegions ?? [],
    notes: [],
    sentAt: null,
  };
};

/** How many entries are parsed together: making a parser ready costs several times what an entry does. */
const together = 20;

type Take = (document: string) => Taken[];
type Piece = { entry: number; xml: string };

function* groups(entries: Iterable<string>): Generator<Piece[]> {
  let group: Piece[] = [];
  let entry = 0;
  for (const xml of entries) {
    entry += 1;
    group.push({ entry, xml });
    if (group.length < together) continue;
    yield group;
    group = [];
  }
  yield group;
}

/** What is taken of each piece of a group, by its number; empty when the parser does not answer one for one. */
const takenTogether = (pieces: Piece[], feed: OpenFeed, take: Take): Map<number, Taken> => {
  try {
    const sound = pieces.filter(({ xml }) => isWellFormed(xml));
    const taken = take(`${feed.head}${sound.map(({ xml }) => xml).join('')}${feed.tail}`);
    if (taken.length !== sound.length) return new Map();
    return new Map(sound.flatMap(({ entry }, n) => (taken[n] ? [[entry, taken[n]]] : [])));
  } catch {
    return new Map();
  }
};

/** Entries are parsed apart from their feed, so that a broken one harms no other and no parse takes long. */
function* readEntries(feed: OpenFeed, around: Around, take: Take): Generator<ReadEntry> {
  for (const group of groups(feed.entries)) {
    const known = takenTogether(group, feed, take);
    for (const { entry, xml } of group) {
      let id: string | null = null;
      try {
        if (!known.has(entry)) demandWellFormed(xml);
        const taken = known.get(entry) ?? demand(take(`${feed.head}${xml}${feed.tail}`)[0]);
        id = taken.id ?? taken.link ?? null;
        yield { ok: true, entry, value: entryOf(taken, around, xml) };
      } catch (error) {
        yield { ok: false, entry, id, message: error instanceof Error ? error.message : String(error) };
      }
    }
  }
}

const demand = <T>(value: T | undefined): T => {
  if (value === undefined) throw new Error('holds nothing that can be read');
  return value;
};

/** The feed's own facts; a feed that says nothing of itself is one all the same. */
const shellOf = <T>(parse: (document: string) => T, feed: OpenFeed): T | undefined => {
  try {
    return parse(feed.shell);
  } catch {
    return undefined;
  }
};

const atomText = (text: { value?: string; type?: string } | undefined): string =>
  text?.type === 'html' || text?.type === 'xhtml' || text?.type === 'text/html'
    ? plainText(text.value)
    : (text?.value ?? '');

const atomLink = (links: AtomFeed.Link<string>[] | undefined, rel = 'alternate'): string | undefined =>
  links?.find((link) => (link.rel ?? 'alternate') === rel)?.href;

const takeAtom = (entry: AtomFeed.Entry<string>): Taken => {
  const content = atomText(entry.content);
  const summary = atomText(entry.summary);
  const title = atomText(entry.title);
  return {
    id: entry.id,
    title,
    // a content longer than a summary can be is cut there and whole in the body (fitTexts)
    summary: summary || content,
    body: summary ? content : '',
    link: atomLink(entry.links) ?? entry.content?.src,
    categories: (entry.categories ?? []).flatMap(({ label, term }) => label ?? term ?? []),
    language: entry.xml?.lang ?? entry.content?.xml?.lang ?? entry.title?.xml?.lang,
    date: entry.published ?? entry.updated,
  };
};

const takeRss = (item: RssFeed.Item<string>): Taken => {
  const encoded = plainText(item.content?.encoded);
  const description = plainText(item.description);
  const guid = item.guid?.value;
  const permalink = item.guid?.isPermaLink !== false && /^https?:/.test(guid ?? '') ? guid : undefined;
  return {
    id: guid,
    title: plainText(item.title),
    summary: description || encoded,
    body: description ? encoded : '',
    link: item.link ?? permalink,
    categories: (item.categories ?? []).flatMap(({ name }) => name ?? []),
    language: item.dc?.languages?.[0],
    date: item.pubDate ?? item.dc?.dates?.[0],
  };
};

/** Reads an Atom feed (RFC 4287), with the CAP fields of the NWS index. Throws `invalid` when it is none, or declares a document type. */
export const readAtom = (xml: string): Iterable<ReadEntry> => {
  const feed = openFeed(xml, ['feed'], 'entry');
  const own = shellOf(parseAtomFeed, feed);
  const base = own?.xml?.base ?? atomLink(own?.links, 'self') ?? atomLink(own?.links);
  const around = { language: own?.xml?.lang, base, capPrefix: capNamespace.exec(feed.head)?.[1] };
  return readEntries(feed, around, (document) => (parseAtomFeed(document).entries ?? []).map(takeAtom));
};

/** Reads an RSS 2.0 feed. Throws `invalid` when it is none, or declares a document type. */
export const readRss = (xml: string): Iterable<ReadEntry> => {
  const feed = openFeed(xml, ['rss', 'channel'], 'item');
  const own = shellOf(parseRssFeed, feed);
  const around = {
    language: own?.language ?? own?.dc?.languages?.[0],
    base: own?.link,
    capPrefix: capNamespace.exec(feed.head)?.[1],
  };
  return readEntries(feed, around, (document) => (parseRssFeed(document).items ?? []).map(takeRss));
};
