import type { Locale, Topic } from './catalogue/topic.ts';
import type { SharedContent } from './channels/channel.ts';
import { momentAsWritten } from './date-format.ts';
import type { ItemContent, ItemVersion } from './publishing/item.ts';
import type { Text } from './text.ts';

/** The words of a notification: a first publication, a correction to somebody told before, a withdrawal. */
export type Wording = 'publication' | 'correction' | 'withdrawal';

export type NotificationInput = {
  item: string;
  version: ItemVersion;
  wording: Wording;
  locale: Locale;
  topic: Topic | null;
  /** Links to the item are counted. */
  tracked?: boolean;
  /** The reader is asked how satisfied they are. */
  survey?: boolean;
};

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** The text, cut at a character and ended by … where it is longer than `most` characters. */
export const shortened = (text: string, most: number): string => {
  const parts = Array.from(graphemes.segment(text), ({ segment }) => segment);
  return parts.length <= most
    ? text
    : `${parts
        .slice(0, most - 1)
        .join('')
        .trimEnd()}…`;
};

/** A Chinese text of one SMS holds 70 characters, link included; a latin one 160. */
export const smsTitle: Record<Locale, number> = { 'zh-CN': 30, en: 70 };
export const pushBody = 240;
export const mailPreview = 150;

type Version = { language: string; title: string; summary: string };

const primary = (tag: string): string => tag.toLowerCase().split('-')[0] ?? '';

const oneLine = (version: Version): Version => ({ ...version, title: version.title.replace(/\s+/g, ' ') });

/** The item in the reader's language where it exists so: as written, or translated; else as written. */
export const inLanguage = (content: ItemContent, locale: Locale): Version => {
  const { language, title, summary } = content;
  const own = oneLine({ language, title, summary });
  if (primary(language) === primary(locale)) return own;
  const tags = Object.keys(content.translations ?? {});
  const tag = tags.find((one) => one === locale) ?? tags.find((one) => primary(one) === primary(locale));
  const translated = tag === undefined ? undefined : content.translations?.[tag];
  return tag !== undefined && translated ? oneLine({ ...translated, language: tag }) : own;
};

export const paragraphsOf = (text: string): string[] =>
  text
    .split(/\n{2,}/)
    .map((paragraph) => paragraph.trim())
    .filter(Boolean);

export const titleOf = (text: Text, wording: Wording, urgency: SharedContent['urgency'], title: string): string => {
  if (wording !== 'publication') return text(`messages:prefix.${wording}`, { title });
  return urgency === 'emergency' ? text('messages:prefix.emergency', { title }) : title;
};

/** What a reader must know before anything else. */
export const noticesOf = (text: Text, { wording, version }: NotificationInput): string[] => {
  const { note, content } = version;
  if (wording === 'correction')
    return [
      text('messages:notification.corrected'),
      ...(note ? [text('messages:notification.changed', { note })] : []),
    ];
  if (wording === 'withdrawal')
    return [
      text('messages:notification.withdrawn'),
      ...(note ? [text('messages:notification.withdrawnWhy', { note })] : []),
    ];
  return content.urgency === 'emergency' ? [text('messages:notification.emergency')] : [];
};

export const shortNotices = (text: Text, { wording, version }: NotificationInput): string[] => {
  if (wording === 'withdrawal') return [text('messages:notification.shortWithdrawn')];
  if (wording === 'correction' && version.note) return [text('messages:notification.changed', { note: version.note })];
  return [];
};

export const factsOf = (text: Text, { wording, version, locale }: NotificationInput): string[] => {
  const { deadline, departments } = version.content;
  const join = text('messages:notification.departmentJoin');
  return [
    ...(deadline && wording !== 'withdrawal'
      ? [text('messages:notification.deadline', { when: momentAsWritten(locale, deadline) })]
      : []),
    ...(departments?.length ? [text('messages:notification.from', { departments: departments.join(join) })] : []),
  ];
};

export const readKeys: Record<Wording, string> = {
  publication: 'read',
  correction: 'readCorrected',
  withdrawal: 'readWithdrawn',
};
