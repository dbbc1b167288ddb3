import { DateTime } from 'luxon';
import type { Locale } from './catalogue/topic.ts';

const made = new Map<string, Intl.DateTimeFormat>();

const tagOf = (locale: Locale): string => (locale === 'en' ? 'en-GB' : locale);

/**
 * A formatter of dates in one of our languages. Making one takes a hundred times as long as using it, so each is made once;
 * there are as many as styles, languages and time zones.
 */
export const dateFormat = (
  locale: Locale,
  options: Intl.DateTimeFormatOptions & { timeZone: string },
): Intl.DateTimeFormat => {
  const key = `${locale} ${JSON.stringify(options)}`;
  const known = made.get(key) ?? new Intl.DateTimeFormat(tagOf(locale), options);
  made.set(key, known);
  return known;
};

const inWords = (locale: Locale, moment: DateTime): string => {
  const words = moment.setLocale(tagOf(locale)).toLocaleString({ dateStyle: 'long', timeStyle: 'short' });
  const offset = moment.toFormat("'UTC'Z");
  return locale === 'en' ? `${words} (${offset})` : `${words}（${offset}）`;
};

/** A moment with its offset: 1 December 2026 at 17:00 (UTC+8), 2026年12月1日 17:00（UTC+8）. `at` in ms. */
export const momentIn = (locale: Locale, at: number, timeZone: string): string =>
  inWords(locale, DateTime.fromMillis(at, { zone: timeZone }));

/** A time (ISO 8601) in the reader's words, at the offset that its office wrote it with. */
export const momentAsWritten = (locale: Locale, instant: string): string =>
  inWords(locale, DateTime.fromISO(instant, { setZone: true }));
