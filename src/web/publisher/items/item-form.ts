import type { Request } from 'express';
import { DateTime } from 'luxon';
import { withAncestors } from '../../../catalogue/topic.ts';
import { primaryOf } from '../../../publishing/both-languages.ts';
import { type ItemContent, itemContentSchema, urgencies } from '../../../publishing/item.ts';
import { locales } from '../../../text.ts';
import type { Voice } from '../../pages/present.ts';
import { type Choice, namesOf, typedField, typedFields, valuesNamed, wordsIn } from '../names.ts';

/** The fields of the editor that hold one text each, beside title, summary and address in each language. */
const textFields = [
  ...['language', 'body', 'regions', 'departments', 'audiences', 'keywords', 'category', 'documentType'],
  ...['urgency', 'deadline', 'expiresAt', 'formedAt', 'visibility'],
];
const languageFields = ['title', 'summary', 'url'] as const;

/** What a form of an item holds, as it was typed: texts by field (`title-en`), and the topics that are ticked. */
export type ItemTyped = { texts: Record<string, string>; topics: string[] };

/** Faults in words, by field. */
export type Faults = Record<string, string>;

export const regionChoices = ({ trees, locale }: Voice): Choice[] =>
  trees.regions.map(({ code, name }) => ({
    value: code,
    names: [name[locale], ...locales.filter((one) => one !== locale).map((one) => name[one]), code],
  }));

/** The column that a language tag belongs to: one of ours, or the tag itself. */
const columnOf = (tag: string): string => locales.find((one) => primaryOf(one) === primaryOf(tag)) ?? tag;

/** The languages of the editor: ours, and the one an imported item is in. */
export const columnsOf = (typed: ItemTyped): string[] => {
  const { language = '' } = typed.texts;
  return locales.some((one) => one === language) || !/^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$/.test(language)
    ? [...locales].reverse()
    : [language, ...[...locales].reverse()];
};

const isField = (name: string): boolean =>
  textFields.includes(name) || languageFields.some((field) => name.startsWith(`${field}-`));

/** The form as it came; nothing is lost, however wrong. */
export const readItemForm = (req: Request): ItemTyped => {
  const names = Object.keys((req.body ?? {}) as object).filter(isField);
  return {
    texts: Object.fromEntries(names.map((name) => [name, typedField(req, name)])),
    topics: typedFields(req, 'topics'),
  };
};

const zoned = "yyyy-MM-dd'T'HH:mm";
const momentField = (instant: string | undefined, zone: string): string =>
  instant === undefined ? '' : DateTime.fromISO(instant, { setZone: true }).setZone(zone).toFormat(zoned);

/** An item as its form shows it. */
export const typedOfItem = (content: ItemContent, voice: Voice): ItemTyped => {
  const main = columnOf(content.language);
  const { timeZone } = voice;
  const translated = Object.entries(content.translations ?? {}).flatMap(([tag, words]) =>
    languageFields.map((field) => [`${field}-${columnOf(tag)}`, words[field] ?? ''] as const),
  );
  const list = (values: readonly string[] | undefined): string => (values ?? []).join('; ');
  return {
    topics: content.topics,
    texts: {
      ...Object.fromEntries(translated),
      ...Object.fromEntries(languageFields.map((field) => [`${field}-${main}`, content[field] ?? ''])),
      language: main,
      body: content.body ?? '',
      regions: namesOf(content.regions ?? [], regionChoices(voice)),
      departments: list(content.departments),
      audiences: list(content.audiences),
      keywords: list(content.keywords),
      category: content.category ?? '',
      documentType: content.documentType ?? '',
      urgency: content.urgency,
      deadline: momentField(content.deadline, timeZone),
      expiresAt: momentField(content.expiresAt, timeZone),
      formedAt: content.formedAt ?? '',
      visibility: content.visibility,
    },
  };
};

/** A time as it was typed, in the office's time zone; as it was before where nobody touched it. Null: it is none. */
const instantOf = (text: string, before: string | undefined, zone: string): string | undefined | null => {
  if (text === '') return undefined;
  if (before !== undefined && momentField(before, zone) === text) return before;
  const moment = DateTime.fromISO(text, { zone });
  return moment.isValid ? moment.toISO({ suppressMilliseconds: true }) : null;
};

type Words = NonNullable<ItemContent['translations']>[string];

/** Title, summary and address of one column; null where nothing was written there. */
const wordsOf = (typed: ItemTyped, column: string): Words | null => {
  const [title = '', summary = '', url = ''] = languageFields.map((field) =>
    (typed.texts[`${field}-${column}`] ?? '').trim(),
  );
  return title === '' && summary === '' && url === '' ? null : { title, summary, ...(url === '' ? {} : { url }) };
};

const wordFaults = (voice: Voice, column: string, words: Words, before: Faults): void => {
  for (const field of ['title', 'summary'] as const)
    if (words[field] === '')
      before[`${field}-${column}`] = voice.t(`publisher:fault.${field}`, { language: languageName(voice, column) });
};

export const languageName = ({ t, locale }: Voice, column: string): string =>
  // `und` is what a feed's entry is in that says nothing of its language
  [...locales, 'und'].some((one) => one === column)
    ? t(`publisher:language.${column}`)
    : (new Intl.DisplayNames(locale, { type: 'language' }).of(column) ?? column);

const regionFault = ({ t }: Voice, unknown: { name: string; nearest: string | null }[]): Faults => {
  const [first] = unknown;
  if (!first) return {};
  const key = first.nearest === null ? 'publisher:fault.unknown' : 'publisher:fault.nearest';
  return { regions: t(key, { name: first.name, nearest: first.nearest }) };
};

/** The field that a path of the schema belongs to. */
const fieldOf = (path: PropertyKey[], main: string): string => {
  const [head = '', tag = '', inner = ''] = path.map(String);
  if (head === 'translations') return `${inner}-${columnOf(tag)}`;
  return languageFields.some((one) => one === head) ? `${head}-${main}` : head;
};

const schemaFaults = (voice: Voice, content: unknown, main: string): Faults => {
  const read = itemContentSchema.safeParse(content);
  if (read.success) return {};
  return Object.fromEntries(
    read.error.issues.map(({ path, code }) => {
      const field = fieldOf(path, main);
      const kind = field.split('-')[0] ?? '';
      const words = code === 'too_big' ? 'tooLong' : kind === 'url' ? 'url' : 'notThis';
      return [field, voice.t(`publisher:fault.${words}`)];
    }),
  );
};

/** What was typed as content, whole, and every fault in words. `before`: what stands, for what the form does not show. */
export const contentOfForm = (
  typed: ItemTyped,
  before: ItemContent | null,
  voice: Voice,
): { content: ItemContent; faults: Faults } => {
  const { texts } = typed;
  const { timeZone } = voice;
  const written = (name: string): string => (texts[name] ?? '').trim();
  const main = columnsOf(typed).includes(written('language')) ? written('language') : (locales[1] ?? '');
  const faults: Faults = {};
  const own = wordsOf(typed, main) ?? { title: '', summary: '' };
  wordFaults(voice, main, own, faults);
  // what is in a language that the form has no column for stays
  const others = Object.entries(before?.translations ?? {}).filter(
    ([tag]) => !columnsOf(typed).includes(columnOf(tag)),
  );
  const translations = Object.fromEntries([
    ...others,
    ...columnsOf(typed).flatMap((column) => {
      const words = column === main ? null : wordsOf(typed, column);
      if (words) wordFaults(voice, column, words, faults);
      return words ? [[column, words] as const] : [];
    }),
  ]);
  const regions = valuesNamed(written('regions'), regionChoices(voice));
  const [deadline, expiresAt] = (['deadline', 'expiresAt'] as const).map((name) => {
    const instant = instantOf(written(name), before?.[name], timeZone);
    if (instant === null) faults[name] = voice.t('publisher:fault.moment');
    return instant ?? undefined;
  });
  if (typed.topics.length === 0 && written('visibility') !== 'targeted')
    faults.topics = voice.t('publisher:fault.topics');
  const content = {
    ...own,
    language: before && columnOf(before.language) === main ? before.language : main,
    url: own.url,
    body: written('body') === '' ? undefined : written('body'),
    topics: typed.topics,
    category: written('category') || undefined,
    documentType: written('documentType') || undefined,
    departments: wordsIn(written('departments')),
    audiences: wordsIn(written('audiences')),
    keywords: wordsIn(written('keywords')),
    regions: regions.values,
    urgency: written('urgency') || urgencies[0],
    deadline,
    expiresAt,
    formedAt: written('formedAt') || undefined,
    visibility: written('visibility') || 'public',
    translations,
  };
  return {
    content: content as ItemContent,
    faults: { ...schemaFaults(voice, content, main), ...faults, ...regionFault(voice, regions.unknown) },
  };
};

/** Topics as boxes, inner ones below what contains them. */
export const topicChoices = ({ trees, locale }: Voice): { value: string; text: string; depth: number }[] =>
  trees.topics
    .map(({ slug, title }) => {
      const path = withAncestors(trees.topicParents, slug);
      return { value: slug, text: title[locale], depth: path.length - 1, key: path.toReversed().join('/') };
    })
    .sort((a, b) => a.key.localeCompare(b.key))
    .map(({ value, text, depth }) => ({ value, text, depth }));
