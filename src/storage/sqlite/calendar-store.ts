import type { CalendarStore } from '../../calendar/calendar-store.ts';
import type { CalendarYear } from '../../calendar/working-day.ts';
import type { Row, SqliteDatabase } from './database.ts';

const yearOf = (row: Row): CalendarYear => ({ year: Number(row.year), ...JSON.parse(String(row.days)) });

/** The working-day calendar over SQLite: one row a year. */
export const sqliteCalendarStore = (db: SqliteDatabase): CalendarStore => {
  const all = db.prepare('SELECT * FROM calendar_years ORDER BY year');
  const put = db.prepare('INSERT OR REPLACE INTO calendar_years (year, days) VALUES (?, ?)');
  const seed = db.prepare('INSERT INTO calendar_years (year, days) VALUES (?, ?) ON CONFLICT DO NOTHING');
  return {
    years: async () => (await db.read(() => all.all())).map(yearOf),
    putYear: async ({ year, ...days }) => {
      await db.write(() => put.run(year, JSON.stringify(days)));
    },
    seedYears: async (years) => {
      await db.write(() => {
        for (const { year, ...days } of years) seed.run(year, JSON.stringify(days));
      });
    },
  };
};
