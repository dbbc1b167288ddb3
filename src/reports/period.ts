import { DateTime } from 'luxon';
import { dayAt, isDay } from '../calendar/working-day.ts';

/** The days of a report (2026-06-10), both ends in, in the office's time zone. */
export type Period = { from: string; to: string };

const usualDays = 90;

/** A day as it is asked for: a day, or the day of a moment (ISO 8601) in the office's time zone. */
const readDay = (text: string, timeZone: string): string => (isDay(text) ? text : dayAt(timeZone, Date.parse(text)));

const backFrom = (day: string, days: number): string =>
  DateTime.fromISO(day, { zone: 'utc' }).minus({ days }).toFormat('yyyy-MM-dd');

/** The days that a report was asked for; where nothing was said, up to today and from 90 days before its end. `now` in ms. */
export const periodOf = (
  asked: { from?: string | undefined; to?: string | undefined },
  timeZone: string,
  now: number,
): Period => {
  const to = asked.to === undefined ? dayAt(timeZone, now) : readDay(asked.to, timeZone);
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
  const to = dayAt(timeZone, now);
  return { from: backFrom(to, days - 1), to };
};

/** A period as whole months (their first and last; null where there is none) and the stretches of days beside them. */
export const monthsIn = ({ from, to }: Period): { months: Period | null; days: Period[] } => {
  const [start, end] = [DateTime.fromISO(from, { zone: 'utc' }), DateTime.fromISO(to, { zone: 'utc' })];
  const first = start.day === 1 ? start : start.plus({ months: 1 }).startOf('month');
  const beyond = end.plus({ days: 1 }).startOf('month');
  if (first >= beyond) return { months: null, days: [{ from, to }] };
  const dayText = (day: DateTime): string => day.toFormat('yyyy-MM-dd');
  return {
    months: { from: first.toFormat('yyyy-MM'), to: beyond.minus({ months: 1 }).toFormat('yyyy-MM') },
    days: [
      { from, to: dayText(first.minus({ days: 1 })) },
      { from: dayText(beyond), to },
    ].filter((stretch) => stretch.from <= stretch.to),
  };
};
