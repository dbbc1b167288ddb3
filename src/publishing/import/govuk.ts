import { z } from 'zod';
import { parseWellFormed } from '../../text-faults.ts';
import {
  checkedContent,
  fitTexts,
  formedOn,
  languageTag,
  plainText,
  type ReadEntry,
  readTime,
  type SourceEntry,
  words,
} from './entry.ts';

const site = 'https://www.gov.uk';

const link = z.looseObject({ title: z.string().nullish() });
const change = z.looseObject({ public_timestamp: z.string().nullish(), note: z.string().nullish() });

/** What is read of a content item (GOV.UK Content API); whatever else it holds is left aside. */
const contentItem = z.looseObject({
  base_path: z.string().regex(/^\/\S*$/, 'must be a path'),
  title: z.string().trim().min(1),
  description: z.string().nullish(),
  document_type: z.string().nullish(),
  locale: z.string().nullish(),
  first_published_at: z.string().nullish(),
  public_updated_at: z.string().nullish(),
  withdrawn: z.boolean().nullish(),
  withdrawn_notice: z.looseObject({ explanation: z.string().nullish() }).nullish(),
  links: z.record(z.string(), z.array(link).or(z.unknown())).nullish(),
  change_history: z.array(change).nullish(),
  details: z.looseObject({ body: z.unknown(), change_history: z.array(change).nullish() }).nullish(),
});
type ContentItem = z.infer<typeof contentItem>;

const departmentLinks = ['organisations', 'worldwide_organisations'];
const keywordLinks = ['policy_areas', 'taxons', 'mainstream_browse_pages', 'people', 'ministers', 'world_locations'];

const titles = (source: ContentItem, names: string[]): string[] =>
  words(
    names
      .flatMap((name) => z.array(link).safeParse(source.links?.[name]).data ?? [])
      .map(({ title }) => title ?? undefined),
  );

/** The notes on what changed, newest first. */
const notesOf = (source: ContentItem): { key: string; text: string; day: string }[] =>
  [...(source.change_history ?? source.details?.change_history ?? [])]
    .flatMap(({ note, public_timestamp }) => {
      if (!note?.trim()) return [];
      const at = readTime(public_timestamp);
      return [
        {
          key: `${public_timestamp ?? ''} ${note}`,
          text: note.trim(),
          day: at?.toISODate() ?? '',
          at: at?.toMillis() ?? 0,
        },
      ];
    })
    .sort((one, other) => other.at - one.at)
    .map(({ key, text, day }) => ({ key, text, day }));

/** The history as a text, for a page; a first publication alone is no history. */
const historyText = (notes: { text: string; day: string }[]): string =>
  notes.length > 1 ? notes.map(({ day, text }) => (day ? `${day} ${text}` : text)).join('\n') : '';

const entryOf = (source: ContentItem): SourceEntry => {
  const notes = notesOf(source);
  const explanation = plainText(source.withdrawn_notice?.explanation ?? undefined);
  const body = typeof source.details?.body === 'string' ? plainText(source.details.body) : '';
  const departments = titles(source, departmentLinks);
  const keywords = titles(source, keywordLinks);
  return {
    externalId: source.base_path,
    references: [],
    content: checkedContent({
      ...fitTexts(source.title, source.description ?? '', [body, historyText(notes)]),
      url: `${site}${source.base_path}`,
      language: languageTag(source.locale, 'en'),
      ...(source.document_type ? { documentType: source.document_type } : {}),
      ...(departments.length > 0 ? { departments } : {}),
      ...(keywords.length > 0 ? { keywords } : {}),
      ...formedOn(readTime(source.first_published_at) ?? readTime(source.public_updated_at)),
    }),
    newRegions: [],
    tableRegions: [],
    withdrawn: source.withdrawn === true || Boolean(source.withdrawn_notice?.explanation),
    draftOnly: false,
    update: false,
    notes: [
      ...(explanation ? [{ key: explanation, text: explanation }] : []),
      ...notes.map(({ key, text }) => ({ key, text })),
    ],
    sentAt: null,
  };
};

const readLine = (line: string, entry: number): ReadEntry => {
  let id: string | null = null;
  try {
    const json = parseWellFormed(line);
    const path = (json as { base_path?: unknown } | null)?.base_path;
    id = typeof path === 'string' ? path : null;
    const source = contentItem.safeParse(json);
    if (source.success) return { ok: true, entry, value: entryOf(source.data) };
    const faults = source.error.issues.map(({ path: at, message }) =>
      at.length > 0 ? `${at.join('.')}: ${message}` : message,
    );
    return { ok: false, entry, id, message: faults.join('; ') };
  } catch (error) {
    return { ok: false, entry, id, message: error instanceof Error ? error.message : String(error) };
  }
};

/** Reads GOV.UK content items, one JSON object a line; `entry` is the line's number. Blank lines are passed over. */
export function* readGovuk(content: string): Generator<ReadEntry> {
  for (let from = 0, number = 1; from < content.length; number++) {
    const end = content.indexOf('\n', from);
    const line = content.slice(from, end === -1 ? content.length : end).trim();
    if (line !== '') yield readLine(line.replace(/^\uFEFF/, ''), number);
    from = end === -1 ? content.length : end + 1;
  }
}
