import { DateTime } from 'luxon';

/** The days of a report (2026-06-10), both ends in, in the office's time zone. */
export type Period = { from: string; to: string };

const usualDays = 90;

/** Whether a text is a day of the calendar. */
export const isDayText = (text: string): boolean =>
  /^\d{4}-\d{2}-\d{2}$/.test(text) && DateTime.fromISO(text, { zone: 'utc' }).isValid;

/** A day as it is asked for: a day, or the day of a moment (ISO 8601) in the office's time zone. */
const readDay = (text: string, timeZone: string): string =>
  isDayText(text) ? text : DateTime.fromISO(text, { zone: timeZone }).toFormat('yyyy-MM-dd');

const backFrom = (day: string, days: number): string =>
  DateTime.fromISO(day, { zone: 'utc' }).minus({ days }).toFormat('yyyy-MM-dd');

/** The days that a report was asked for; where nothing was said, up to today and from 90 days before its end. `now` in ms. */
export const periodOf = (
  asked: { from?: string | undefined; to?: string | undefined },
  timeZone: string,
  now: number,
): Period => {
  const to =
    asked.to === undefined
      ? DateTime.fromMillis(now, { zone: timeZone }).toFormat('yyyy-MM-dd')
      : readDay(asked.to, timeZone);
  return { from: asked.from === undefined ? backFrom(to, usualDays) : readDay(asked.from, timeZone), to };
};

/** The days before a period, as many as it has. */
export const periodBefore = ({ from, to }: Period): Period => {
  const days = DateTime.fromISO(to).diff(DateTime.fromISO(from), 'days').days;
  const end = backFrom(from, 1);
  return { from: backFrom(end, Math.round(days)), to: end };
};

/** The last so many days, today included. */
export const lastDays = (days: number, timeZone: string, now: number): Period => {
  const to = DateTime.fromMillis(now, { zone: timeZone }).toFormat('yyyy-MM-dd');
  return { from: backFrom(to, days - 1), to };
};
