import { convert } from 'html-to-text';
import { DateTime } from 'luxon';
import type { Region } from '../../catalogue/region.ts';
import { type ItemContent, itemContentSchema } from '../item.ts';

/** **source entry**: one entry of a feed, one alert or one content item, in Bellman's words. */
export type SourceEntry = {
  externalId: string;
  /** External ids of earlier entries that this one changes or cancels (CAP references). */
  references: string[];
  /** `topics` empty; `regions` only those that `newRegions` or the office's table surely hold. */
  content: ItemContent;
  /** What the regions are called, parents first, should the table lack them. */
  newRegions: Region[];
  /** Codes that count only where the region table has them. */
  tableRegions: string[];
  /** The source has taken it back. */
  withdrawn: boolean;
  /** A test, an exercise or something not for the public: never further than a draft. */
  draftOnly: boolean;
  /** The source itself says that this is an update worth telling. */
  update: boolean;
  /** What the source says about its changes, newest first; `key` tells notes apart. */
  notes: { key: string; text: string }[];
  /** When the source sent it (ms), where an older message must not undo a newer one; else null. */
  sentAt: number | null;
};

/** What became of reading one entry; `entry` counts from 1 (a line number in JSON Lines). */
export type ReadEntry =
  | { ok: true; entry: number; value: SourceEntry }
  | { ok: false; entry: number; id: string | null; message: string };

const limits = { title: 500, summary: 5_000, word: 200 };

/** At most `most` UTF-16 units, an ellipsis for what was cut, no half of a surrogate pair. */
export const cut = (text: string, most: number): string =>
  text.length <= most ? text : `${text.slice(0, most - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is to be taken out
const controls = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F]/g;

const lineBreak = /[\t\n\v\f\r\u2028\u2029]/;
const oneLine = (text: string): string =>
  text
    .replace(controls, '')
    .replace(/\s+/gu, (blanks) => (lineBreak.test(blanks) ? ' ' : blanks))
    .trim();
const lines = (text: string): string => text.replace(controls, '').replace(/\r\n?/g, '\n').trim();

/** Words of a list facet: on one line, each once, none empty. */
export const words = (values: (string | undefined)[]): string[] => [
  ...new Set(values.flatMap((value) => (value && oneLine(value) ? [cut(oneLine(value), limits.word)] : []))),
];

/** A title, a summary (the title where there is none) and the rest: what is too long for its place is whole in the body. */
export const fitTexts = (
  title: string,
  summary: string,
  rest: (string | undefined)[],
): Pick<ItemContent, 'title' | 'summary' | 'body'> => {
  const [wholeTitle, wholeSummary] = [oneLine(title) || cut(oneLine(summary), 100), lines(summary)];
  const parts = [
    wholeTitle.length > limits.title ? wholeTitle : '',
    wholeSummary.length > limits.summary ? wholeSummary : '',
    ...rest.map((part) => lines(part ?? '')),
  ].filter((part) => part !== '');
  const body = parts.length > 0 ? { body: parts.join('\n\n') } : {};
  return { title: cut(wholeTitle, limits.title), summary: cut(wholeSummary || wholeTitle, limits.summary), ...body };
};

const markup = /<[a-z!/][^<>]*>|&(?:#\d+|#x[\da-f]+|[a-z][a-z\d]*);/i;

/** Text of HTML, paragraphs kept; what holds no markup is left as it is. */
export const plainText = (text: string | undefined): string => {
  if (text === undefined || !markup.test(text)) return text ?? '';
  return convert(text, {
    wordwrap: false,
    limits: { maxDepth: 50 },
    selectors: [
      { selector: 'img', format: 'skip' },
      { selector: 'a', options: { hideLinkHrefIfSameAsText: true } },
      ...['h1', 'h2', 'h3', 'h4', 'h5', 'h6'].map((selector) => ({ selector, options: { uppercase: false } })),
    ],
  }).trim();
};

/** An ISO 8601 or RFC 822 time in its own offset; null if it is neither. */
export const readTime = (text: string | undefined | null): DateTime<true> | null => {
  const value = text?.trim() ?? '';
  for (const time of [
    DateTime.fromISO(value, { setZone: true }),
    DateTime.fromRFC2822(value, { setZone: true }),
    DateTime.fromHTTP(value, { setZone: true }),
  ])
    if (time.isValid) return time;
  return null;
};

/** The day (of the source's own offset) of a time, as a part of the content. */
export const formedOn = (time: DateTime<true> | null): { formedAt?: string } =>
  time ? { formedAt: time.toISODate() } : {};

/** An absolute http(s) address, as a part of the content; anything else is left out: the item's own page serves. */
export const linkPart = (address: string | undefined, base?: string): { url?: string } => {
  if (!address?.trim()) return {};
  const url = parseUrl(address.trim(), base);
  return url && /^https?:$/.test(url.protocol) && url.href.length <= 2_000 ? { url: url.href } : {};
};

const parseUrl = (address: string, base?: string): URL | null => {
  try {
    return new URL(address, base);
  } catch {
    return null;
  }
};

/** A language tag as BCP 47 writes it (`en_GB` is common in feeds); `und` where the source does not say. */
export const languageTag = (tag: string | undefined | null, otherwise = 'und'): string =>
  tag?.trim().replaceAll('_', '-') || otherwise;

/** Checks what was read against the item's own schema. Throws an Error naming every fault. */
export const checkedContent = (content: Record<string, unknown>): ItemContent => {
  const parsed = itemContentSchema.safeParse({ topics: [], ...content });
  if (parsed.success) return parsed.data;
  throw new Error(parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '));
};
