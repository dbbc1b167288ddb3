import { z } from 'zod';
import type { CalendarService } from '../../calendar/calendar-service.ts';
import { AppError } from '../../errors.ts';
import { type Cell, toCsv } from '../../reports/csv.ts';
import type { DeadlineService } from '../../reports/deadlines.ts';
import { type Span, spanOf } from '../../reports/span.ts';
import { limitKinds, limitStates } from '../../reports/time-limit.ts';
import { type Route, route } from '../contract/route.ts';
import { time } from '../present.ts';
import { instant, orNull } from './shapes.ts';

type Deps = { deadlines: Pick<DeadlineService, 'report'>; calendar: Pick<CalendarService, 'timeZone' | 'dayOf'> };

const day = z.iso.date();
const dayOrMoment = z.union([day, z.iso.datetime({ offset: true })], { error: 'must be a day, or a time with offset' });

/** The query of every report. */
const reportQuery = {
  from: dayOrMoment.optional().describe('A day, or a time; 90 days before `to` where left out.'),
  to: dayOrMoment.optional().describe('A day, which is in; today where left out.'),
  format: z.enum(['json', 'csv']).default('json'),
};

/** What every report answers: the days it is about, its rows, and when it was read. */
const reportShape = <Row extends z.ZodRawShape, More extends z.ZodRawShape>(row: z.ZodObject<Row>, more: More) =>
  z.object({ from: day, to: day, rows: z.array(row), asOf: instant, ...more });

type Found = { rows: Record<string, Cell>[]; asOf: number } & Record<string, unknown>;

type ReportSpec<Row extends z.ZodRawShape, More extends z.ZodRawShape> = {
  path: string;
  operationId: string;
  summary: string;
  /** One row: its names are the columns of the CSV, in their order. */
  row: z.ZodObject<Row>;
  /** What the JSON holds beside the rows. */
  more: More;
  read(span: Span): Promise<Found>;
};

/** One report: JSON, or with `format=csv` its rows as CSV. */
const reportRoute = <Row extends z.ZodRawShape, More extends z.ZodRawShape>(
  { timeZone, dayOf }: Pick<CalendarService, 'timeZone' | 'dayOf'>,
  { path, operationId, summary, row, more, read }: ReportSpec<Row, More>,
): Route =>
  route({
    method: 'get',
    path,
    operationId,
    tag: 'Reports',
    scope: 'analyse',
    summary: `${summary} With \`format=csv\` the rows alone, as text/csv.`,
    query: z.strictObject(reportQuery),
    responses: { 200: reportShape(row, more) },
    handler: async ({ query: { format, ...asked } }) => {
      const span = spanOf(asked, timeZone, dayOf());
      if (span.from > span.to)
        throw new AppError('invalid', 'The report ends before it begins.', {
          faults: [{ path: 'to', message: 'must not be before from' }],
        });
      const { rows, asOf, ...rest } = await read(span);
      if (format === 'json') return { status: 200, body: { ...rest, ...span, rows, asOf: time(asOf) } };
      const name = `${operationId}-${span.from}-${span.to}.csv`;
      return {
        status: 200,
        text: { type: 'text/csv; charset=utf-8', content: toCsv(Object.keys(row.shape), rows) },
        headers: { 'Content-Disposition': `attachment; filename="${name}"` },
      };
    },
  });

const caseRow = z
  .object({
    kind: z.enum(limitKinds),
    id: z.string().describe('Of the item, or of the application.'),
    title: orNull(z.string()),
    startedOn: day.describe('The day it was formed on, or received.'),
    dueOn: day,
    doneOn: orNull(day),
    allowed: z.int().describe('Working days that may be taken.'),
    taken: z.int().describe('Working days taken until it was done, or until now.'),
    daysLeft: orNull(z.int()),
    state: z.enum(limitStates),
  })
  .meta({ id: 'TimeLimit' });

const summaryShape = z.object({
  kind: z.enum(limitKinds),
  cases: z.int(),
  kept: z.int(),
  late: z.int(),
  open: z.int(),
  'due-soon': z.int(),
  overdue: z.int(),
  share: orNull(z.number()).describe('Of those decided, the share that was kept.'),
});

/** What analysts read. */
export const reportRoutes = ({ deadlines, calendar }: Deps): Route[] => [
  reportRoute(calendar, {
    path: '/reports/deadlines',
    operationId: 'reportDeadlines',
    summary:
      'Timeliness: publication within 20 working days of `formedAt`, answers within 15 of the receipt, of what started in the span.',
    row: caseRow,
    more: {
      summary: z.array(summaryShape),
      unknownYears: z
        .array(z.int())
        .describe('Years that the working-day calendar has no data for: there weekends alone are days off.'),
      more: z.boolean().describe('There are more rows than a report holds; ask for a shorter span.'),
    },
    read: deadlines.report,
  }),
];
