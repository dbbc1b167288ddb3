import { DateTime } from 'luxon';

/** A day as YYYY-MM-DD, in the office's time zone. */
export type Day = string;

/**
 * **calendar year**: how one year differs from plain weeks. `holidays` are days off, `workdays` the days (mostly at weekends) that
 * are worked to make up for them; every other day is worked from Monday to Friday. `source`: who laid it down, in words.
 */
export type CalendarYear = { year: number; holidays: Day[]; workdays: Day[]; source: string };

/** The working days of an office, as far as its years are known; a year that is not has weekends alone. */
export type Calendar = {
  isWorkingDay(day: Day): boolean;
  /** The `count`-th working day after a day, which does not count itself (1 or more). */
  after(day: Day, count: number): Day;
  /** How many working days lie after `from`, up to and with `to`; negative where `to` comes first. */
  between(from: Day, to: Day): number;
  /** The years from one day to another of which nothing is known, ascending: their holidays count as worked. */
  unknownYears(from: Day, to: Day): number[];
};

const dayMs = 86_400_000;

/** Days since 1970-01-01, so that counting them costs no dates. */
const numberOf = (day: Day): number => Date.parse(`${day}T00:00:00Z`) / dayMs;
const dayOfNumber = (number: number): Day => new Date(number * dayMs).toISOString().slice(0, 10);

/** 1970-01-01 was a Thursday. */
const isWeekend = (number: number): boolean => [0, 6].includes((((number + 4) % 7) + 7) % 7);

export const makeCalendar = (years: readonly CalendarYear[]): Calendar => {
  const known = new Set(years.map(({ year }) => year));
  const off = new Set(years.flatMap(({ holidays }) => holidays.map(numberOf)));
  const worked = new Set(years.flatMap(({ workdays }) => workdays.map(numberOf)));
  const isWorked = (number: number): boolean => worked.has(number) || (!off.has(number) && !isWeekend(number));

  const countAfter = (from: number, to: number): number => {
    let count = 0;
    for (let number = from + 1; number <= to; number++) if (isWorked(number)) count += 1;
    return count;
  };

  return {
    isWorkingDay: (day) => isWorked(numberOf(day)),
    after: (day, count) => {
      let number = numberOf(day);
      for (let left = count; left > 0; ) {
        number += 1;
        if (isWorked(number)) left -= 1;
      }
      return dayOfNumber(number);
    },
    between: (from, to) => {
      const [start, end] = [numberOf(from), numberOf(to)];
      return start <= end ? countAfter(start, end) : 0 - countAfter(end, start);
    },
    unknownYears: (from, to) => {
      const [first, last] = [from, to].sort().map((day) => Number(day.slice(0, 4))) as [number, number];
      return Array.from({ length: last - first + 1 }, (_, index) => first + index).filter((year) => !known.has(year));
    },
  };
};

/** Whether a text is a day of the calendar: 2025-02-29 is none. */
export const isDay = (text: string): boolean =>
  /^\d{4}-\d{2}-\d{2}$/.test(text) && DateTime.fromISO(text, { zone: 'utc' }).isValid;

/** The day on which a moment (ms) falls in a time zone. */
export const dayAt = (timeZone: string, at: number): Day =>
  DateTime.fromMillis(at, { zone: timeZone }).toISODate() ?? dayOfNumber(Math.floor(at / dayMs));

/** The first moment of a day in a time zone, in ms; the day may have 23 or 25 hours. */
export const startOf = (timeZone: string, day: Day): number => DateTime.fromISO(day, { zone: timeZone }).toMillis();

/** The last second of a day in a time zone, as ISO 8601 with offset: until then something due on it is in time. */
export const endOf = (timeZone: string, day: Day): string =>
  DateTime.fromISO(day, { zone: timeZone }).endOf('day').startOf('second').toISO({ suppressMilliseconds: true }) ?? day;

/** Everything that is wrong with a year's days: not a day, of another year, twice, or in both lists. */
export const yearFaults = ({ year, holidays, workdays }: CalendarYear): { path: string; message: string }[] => {
  const seen = new Set<Day>();
  const faultOf = (day: Day): string | null => {
    if (!isDay(day)) return 'is not a day as 2026-10-01';
    if (!day.startsWith(`${year}-`)) return `is not a day of ${year}`;
    if (seen.has(day)) return 'is named twice';
    seen.add(day);
    return null;
  };
  return (['holidays', 'workdays'] as const).flatMap((list) =>
    ({ holidays, workdays })[list].flatMap((day, index) => {
      const message = faultOf(day);
      return message === null ? [] : [{ path: `${list}.${index}`, message }];
    }),
  );
};
