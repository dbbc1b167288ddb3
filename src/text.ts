import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import i18next, { type i18n } from 'i18next';
import { z } from 'zod';
import type { Locale } from './catalogue/topic.ts';
import { projectRoot } from './project-root.ts';

export const locales: readonly Locale[] = ['en', 'zh-CN'];
/** `pages`: citizen pages and forms · `messages`: what leaves by email, push, SMS · `reasons`: why somebody was or was not told · `profiles`: what is concluded about people · `tuning`: why rules were moved · `reports`: the pages of analysts · `feeds`: feeds and calendars · `accounts`: the office's accounts at WeChat and Weibo, and what they say · `publisher`: the pages of publishers and reviewers · `admin`: the pages of administrators · `sources`: feeds that are polled. */
const namespaces = [
  'pages',
  'messages',
  'reasons',
  'profiles',
  'tuning',
  'reports',
  'feeds',
  'accounts',
  'publisher',
  'admin',
  'sources',
] as const;

const load = (locale: Locale, namespace: string): Record<string, unknown> =>
  JSON.parse(readFileSync(join(projectRoot, 'locales', locale, `${namespace}.json`), 'utf8'));

const instance: i18n = i18next.createInstance();
await instance.init({
  lng: 'en',
  fallbackLng: false,
  supportedLngs: [...locales],
  ns: [...namespaces],
  defaultNS: 'pages',
  interpolation: { escapeValue: false },
  resources: Object.fromEntries(
    locales.map((locale) => [locale, Object.fromEntries(namespaces.map((name) => [name, load(locale, name)]))]),
  ),
});

/** The text of `namespace:key` in one language, with i18next's interpolation and plurals. */
export type Text = (key: string, values?: Record<string, unknown>) => string;

/** More than there are texts: keys that name none are not collected for ever. */
const plainMost = 10_000;

const makeText = (locale: Locale): Text => {
  const fixed = instance.getFixedT(locale);
  // a page asks for a hundred texts, most of which always say the same
  const plain = new Map<string, string>();
  return (key, values) => {
    if (values !== undefined) return String(fixed(key, values));
    const known = plain.get(key);
    if (known !== undefined) return known;
    const text = String(fixed(key, {}));
    if (plain.size < plainMost) plain.set(key, text);
    return text;
  };
};

const texts = new Map(locales.map((locale) => [locale, makeText(locale)]));

export const textIn = (locale: Locale): Text => texts.get(locale) ?? makeText(locale);

/** A language range of RFC 4647 section 2.1, which every BCP 47 tag is. */
export const languageTag = z
  .string()
  .max(100)
  .regex(/^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*$/, 'must be a BCP 47 language tag');

/**
 * The supported language that fits a BCP 47 tag or an Accept-Language value best, or the fallback: by RFC 4647 section 3.4
 * tags lose their last parts until one fits, and of Chinese and English there is one kind each.
 */
export const bestLocale = (wanted: string | undefined, fallback: Locale): Locale => {
  for (const range of (wanted ?? '').toLowerCase().split(',')) {
    const language = range.split(';')[0]?.trim().split('-')[0];
    if (language === 'zh') return 'zh-CN';
    if (language === 'en') return 'en';
  }
  return fallback;
};
