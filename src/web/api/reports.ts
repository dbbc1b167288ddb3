import { z } from 'zod';
import { type Cell, toCsv } from '../../reports/csv.ts';
import type { DeadlineService } from '../../reports/deadlines.ts';
import type { Period } from '../../reports/period.ts';
import { limitKinds, limitStates } from '../../reports/time-limit.ts';
import { type Route, route } from '../contract/route.ts';
import { time } from '../present.ts';
import { csvAnswer, day, periodAsked, reportQuery } from './report-query.ts';
import { instant, orNull } from './shapes.ts';

type Clock = { timeZone: string; now: () => number };
type Deps = Clock & { deadlines: Pick<DeadlineService, 'report'> };

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
  read(period: Period): Promise<Found>;
};

/** One report: JSON, or with `format=csv` its rows as CSV. */
const reportRoute = <Row extends z.ZodRawShape, More extends z.ZodRawShape>(
  clock: Clock,
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
      const period = periodAsked(asked, clock);
      const { rows, asOf, ...rest } = await read(period);
      if (format === 'json') return { status: 200, body: { ...rest, ...period, rows, asOf: time(asOf) } };
      return csvAnswer(operationId, period, toCsv(Object.keys(row.shape), rows));
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
export const reportRoutes = ({ deadlines, ...clock }: Deps): Route[] => [
  reportRoute(clock, {
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
