import type { Config } from '../config.ts';
import type { Edges } from '../edges.ts';
import { AppError, type Fault } from '../errors.ts';
import type { Log } from '../log.ts';
import type { CalendarStore } from './calendar-store.ts';
import { chinaYears } from './china.ts';
import { type Calendar, type CalendarYear, type Day, dayAt, makeCalendar, yearFaults } from './working-day.ts';

/** Working days as the operator keeps them, in the office's time zone. */
export type CalendarService = {
  timeZone: string;
  years(): Promise<CalendarYear[]>;
  /** Everything that is wrong with a year; `put` refuses the same. */
  faultsIn(year: CalendarYear): Fault[];
  /** Throws `invalid` naming every fault. */
  put(year: CalendarYear): Promise<CalendarYear>;
  /** The calendar as it is now. */
  calendar(): Promise<Calendar>;
  /** The day it is now, or the day of a moment (ms). */
  dayOf(at?: number): Day;
  /** Says in the log that years between two days are not in the calendar, once for each in this process; answers them. */
  warnUnknown(calendar: Calendar, from: Day, to: Day): number[];
};

type Tools = { edges: Pick<Edges, 'now'>; log: Pick<Log, 'warn'>; config: Pick<Config, 'timeZone'> };

const sorted = (year: CalendarYear): CalendarYear => ({
  ...year,
  holidays: [...year.holidays].sort(),
  workdays: [...year.workdays].sort(),
});

export const makeCalendarService = (
  stores: { calendar: CalendarStore },
  { edges, log, config: { timeZone } }: Tools,
): CalendarService => {
  const warned = new Set<number>();
  return {
    timeZone,
    years: () => stores.calendar.years(),
    faultsIn: yearFaults,
    put: async (year) => {
      const faults = yearFaults(year);
      if (faults.length > 0) throw new AppError('invalid', 'Some days do not fit; each is named.', { faults });
      await stores.calendar.putYear(sorted(year));
      return sorted(year);
    },
    calendar: async () => makeCalendar(await stores.calendar.years()),
    dayOf: (at = edges.now()) => dayAt(timeZone, at),
    warnUnknown: (calendar, from, to) => {
      const years = calendar.unknownYears(from, to);
      for (const year of years.filter((one) => !warned.has(one))) {
        warned.add(year);
        log.warn(
          { year },
          'the working-day calendar has no data for this year: weekends alone are counted as days off',
        );
      }
      return years;
    },
  };
};

/** Puts the years in that are known from the start (china.ts), where the operator has none. */
export const seedCalendar = (store: CalendarStore): Promise<void> => store.seedYears(chinaYears);
