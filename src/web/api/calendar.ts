import { z } from 'zod';
import type { ApplicationService } from '../../applications/application-service.ts';
import type { CalendarService } from '../../calendar/calendar-service.ts';
import { AppError } from '../../errors.ts';
import { type Route, route } from '../contract/route.ts';

type Deps = { calendar: CalendarService; applications: Pick<ApplicationService, 'redate'> };

const day = z.iso.date();
const days = z.array(day).max(366);
const source = z.string().trim().min(1).max(500);

const yearShape = z
  .object({ year: z.int(), holidays: z.array(day), workdays: z.array(day), source: z.string() })
  .meta({ id: 'CalendarYear' });

const yearOf = (text: string): number => {
  if (!/^(19|20|21)\d\d$/.test(text)) throw new AppError('not-found', 'There is no such year.');
  return Number(text);
};

/** The working-day calendar: days off, and the days worked to make up for them. */
export const calendarRoutes = ({ calendar, applications }: Deps): Route[] => [
  route({
    method: 'get',
    path: '/calendar',
    operationId: 'listCalendarYears',
    tag: 'Calendar',
    scope: 'admin',
    summary: 'The years that the working-day calendar knows; of others only weekends are days off.',
    responses: { 200: z.object({ years: z.array(yearShape) }) },
    handler: async () => ({ status: 200, body: { years: await calendar.years() } }),
  }),
  route({
    method: 'put',
    path: '/calendar/{year}',
    operationId: 'putCalendarYear',
    tag: 'Calendar',
    scope: 'admin',
    summary: 'Stores a year: days off beside weekends, days worked to make up for them, and who laid it down.',
    body: z.strictObject({ holidays: days, workdays: days, source }),
    responses: { 200: yearShape },
    handler: async ({ params, body }) => {
      const year = await calendar.put({ year: yearOf(params.year), ...body });
      await applications.redate();
      return { status: 200, body: year, subject: String(year.year) };
    },
  }),
];
