import { bestLocale } from '../text.ts';
import type { PublicItem } from './item-reader.ts';
import type { Locale } from './topic.ts';

/** Title, summary and address of an item in one language, and the language that they are in. */
export type ItemWords = { title: string; summary: string; url?: string; lang: string };

/** An item's words in the language asked for where a translation exists, else in its own. */
export const wordsOf = ({ content }: Pick<PublicItem, 'content'>, locale: Locale): ItemWords => {
  const own = {
    title: content.title,
    summary: content.summary,
    ...(content.url ? { url: content.url } : {}),
    lang: content.language,
  };
  if (bestLocale(content.language, locale) === locale) return own;
  const found = Object.entries(content.translations ?? {}).find(
    ([tag]) => bestLocale(tag, locale === 'en' ? 'zh-CN' : 'en') === locale,
  );
  return found ? { ...found[1], lang: found[0] } : own;
};
