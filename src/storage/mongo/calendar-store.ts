import type { mongo } from 'mongoose';
import type { CalendarStore } from '../../calendar/calendar-store.ts';
import type { CalendarYear } from '../../calendar/working-day.ts';
import { insertMissing } from './writes.ts';

type YearDocument = Omit<CalendarYear, 'year'> & { _id: number };

/** The working-day calendar over MongoDB: one document a year. */
export const mongoCalendarStore = (db: mongo.Db): CalendarStore => {
  const years = db.collection<YearDocument>('calendar_years');
  return {
    years: async () =>
      (await years.find().sort({ _id: 1 }).toArray()).map(({ _id, holidays, workdays, source }) => ({
        year: _id,
        holidays,
        workdays,
        source,
      })),
    putYear: async ({ year, holidays, workdays, source }) => {
      await years.updateOne({ _id: year }, { $set: { holidays, workdays, source } }, { upsert: true });
    },
    seedYears: (list) =>
      insertMissing(
        years,
        list.map(({ year, ...days }) => ({ _id: year, ...days })),
      ),
  };
};
