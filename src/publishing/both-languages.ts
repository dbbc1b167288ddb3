import type { Locale } from '../catalogue/topic.ts';
import type { ItemContent } from './item.ts';

/** The languages that every notice has, and how the first part of their tags is written. */
const primaries: Record<Locale, string> = { 'zh-CN': 'zh', en: 'en' };

export const primaryOf = (tag: string): string => tag.toLowerCase().split('-')[0] ?? '';

/** Of the two languages of the office, those in which the item has no title and summary. */
export const missingLanguages = (content: Pick<ItemContent, 'language' | 'translations'>): Locale[] => {
  const there = [content.language, ...Object.keys(content.translations ?? {})].map(primaryOf);
  return (Object.keys(primaries) as Locale[]).filter((locale) => !there.includes(primaries[locale]));
};
