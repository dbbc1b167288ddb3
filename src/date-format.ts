import type { Locale } from './catalogue/topic.ts';

const made = new Map<string, Intl.DateTimeFormat>();

/**
 * A formatter of dates in one of our languages. Making one takes a hundred times as long as using it, so each is made once;
 * there are as many as styles, languages and time zones.
 */
export const dateFormat = (
  locale: Locale,
  options: Intl.DateTimeFormatOptions & { timeZone: string },
): Intl.DateTimeFormat => {
  const key = `${locale} ${JSON.stringify(options)}`;
  const known = made.get(key) ?? new Intl.DateTimeFormat(locale === 'en' ? 'en-GB' : locale, options);
  made.set(key, known);
  return known;
};
