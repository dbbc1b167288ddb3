import type { CalendarYear } from './working-day.ts';

/** The years of the working-day calendar that the office knows. */
export type CalendarStore = {
  /** Every year, ascending. */
  years(): Promise<CalendarYear[]>;
  /** Stores a year in place of the one that is there. */
  putYear(year: CalendarYear): Promise<void>;
  /** Stores years that are not there yet; those that an operator has changed stay as they are. */
  seedYears(years: readonly CalendarYear[]): Promise<void>;
};
