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

/** How many days from Monday to Friday there are up to a day; counted from a Monday, so that whole weeks are five each. */
const weekdaysUpTo = (number: number): number => {
  const days = number + 4;
  const weeks = Math.floor(days / 7);
  return weeks * 5 + Math.min(days - weeks * 7, 5);
};

/** How many of these numbers, ascending, are not above one. */
const countUpTo = (numbers: readonly number[], most: number): number => {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((numbers[middle] ?? 0) <= most) low = middle + 1;
    else high = middle;
  }
  return low;
};

const ascending = (numbers: Iterable<number>): number[] => [...new Set(numbers)].sort((a, b) => a - b);

export const makeCalendar = (years: readonly CalendarYear[]): Calendar => {
  const known = new Set(years.map(({ year }) => year));
  const made = new Set(years.flatMap(({ workdays }) => workdays.map(numberOf)));
  const free = new Set(years.flatMap(({ holidays }) => holidays.map(numberOf)).filter((number) => !made.has(number)));
  const isWorked = (number: number): boolean => made.has(number) || (!free.has(number) && !isWeekend(number));
  // only what differs from plain weeks
  const offWeekdays = ascending([...free].filter((number) => !isWeekend(number)));
  const workedWeekends = ascending([...made].filter(isWeekend));
  const workedUpTo = (number: number): number =>
    weekdaysUpTo(number) - countUpTo(offWeekdays, number) + countUpTo(workedWeekends, number);
  // reports ask for the same few days again and again
  const later = new Map<string, Day>();

  const dayAfter = (day: Day, count: number): Day => {
    let number = numberOf(day);
    for (let left = count; left > 0; ) {
      number += 1;
      if (isWorked(number)) left -= 1;
    }
    return dayOfNumber(number);
  };

  return {
    isWorkingDay: (day) => isWorked(numberOf(day)),
    after: (day, count) => {
      const key = `${day} ${count}`;
      const found = later.get(key) ?? dayAfter(day, count);
      later.set(key, found);
      return found;
    },
    between: (from, to) => workedUpTo(numberOf(to)) - workedUpTo(numberOf(from)),
    unknownYears: (from, to) => {
      const [first, last] = [from, to].sort().map((day) => Number(day.slice(0, 4))) as [number, number];
      return Array.from({ length: last - first + 1 }, (_, index) => first + index).filter((year) => !known.has(year));
    },
  };
};

/** Working days from a day to one that is due; negative once that has passed, also where only days off lie between. */
export const daysLeft = (calendar: Calendar, today: Day, dueOn: Day): number => {
  const left = calendar.between(today, dueOn);
  return today > dueOn ? Math.min(left, -1) : left;
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
