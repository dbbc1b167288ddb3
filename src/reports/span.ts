import { type Day, dayAt, isDay } from '../calendar/working-day.ts';

/** The days of a report, both ends in. */
export type Span = { from: Day; to: Day };

const usualDays = 90;
const dayMs = 86_400_000;

/** A day as it is asked for: a day, or the day of a moment (ISO 8601) in the office's time zone. */
const readDay = (text: string, timeZone: string): Day => (isDay(text) ? text : dayAt(timeZone, Date.parse(text)));

/** The span that a report was asked for: up to today and 90 days back, where nothing was said. */
export const spanOf = (
  asked: { from?: string | undefined; to?: string | undefined },
  timeZone: string,
  today: Day,
): Span => {
  const to = asked.to === undefined ? today : readDay(asked.to, timeZone);
  const from =
    asked.from === undefined ? dayAt('utc', Date.parse(to) - usualDays * dayMs) : readDay(asked.from, timeZone);
  return { from, to };
};
