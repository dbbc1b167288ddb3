import { z } from 'zod';
import { toCsv } from '../../reports/csv.ts';
import { coverageGroups } from '../../reports/figures.ts';
import type { Period } from '../../reports/period.ts';
import { funnelBys, type ReportService, satisfactionBys } from '../../reports/report-service.ts';
import { holds, type Route, route } from '../contract/route.ts';
import { countedBy, maskedRow, maskedRows, maskedWorst } from '../masked-rows.ts';
import { coverageTable, funnelTable, rulesTable, satisfactionTable, type Table } from '../report-columns.ts';
import { csvAnswer, day, periodAsked, reportQuery } from './report-query.ts';
import { instant, orNull } from './shapes.ts';

type Deps = { reports: ReportService; timeZone: string; now: () => number };

const count = orNull(z.int());
const share = orNull(z.number());
const interval = z.array(z.number()).describe('95 %: from, to. Empty where the row tells no numbers.');
const masked = {
  fewerThan: z
    .literal(10)
    .optional()
    .describe(
      'The row is about 1 to 9 people, or such a row could be worked out from it and the total: its numbers are null. Only the admin scope sees them.',
    ),
};

const reportShape = <Row extends z.ZodType, More extends z.ZodRawShape>(row: Row, more: More) =>
  z.object({
    from: day,
    to: day,
    rows: z.array(row),
    asOf: instant.describe('All that had happened by then is in it.'),
    ...more,
  });

const funnelShape = z
  .object({
    key: z.string().describe('Empty for all; `none` where there is nothing to name.'),
    matched: count,
    sent: count,
    delivered: count.describe('A receipt, or a reaction. Email has no receipts.'),
    seen: count.describe('Anything came back from a person; what machines did is left out, and so are opens.'),
    clicked: count,
    acted: count.describe('Said useful, or gave 4 or 5.'),
    withheld: count,
    deferred: count,
    digested: count,
    failed: count,
    bounced: count,
    cancelled: count,
    planned: count,
    sending: count,
    useful: count,
    notForMe: count,
    tooMany: count,
    stops: count,
    complaints: count,
    byCode: z.array(z.object({ state: z.string(), code: z.string(), people: z.int() })),
    ...masked,
  })
  .meta({ id: 'FunnelRow' });

const arm = z.object({ people: z.int(), viewed: z.int() });
const ruleShape = z
  .object({
    rule: z.string(),
    version: z.int(),
    name: orNull(z.string()),
    matched: count,
    sent: count,
    clicked: count,
    useful: count,
    notForMe: count,
    tooMany: count,
    stops: count,
    complaints: count,
    posterior: orNull(z.object({ mean: z.number(), interval, messages: z.int(), rewarded: z.int() })).describe(
      'Of the share of messages that were of use, over those whose 72 hours are over.',
    ),
    lift: orNull(z.object({ told: arm, heldOut: arm, lift: z.number(), interval })).describe(
      'How many more looked at the item, or another of its topics, for being told. Null without people in both arms.',
    ),
    ...masked,
  })
  .meta({ id: 'RuleWorth' });

const coverageShape = z
  .object({
    group: z.enum(coverageGroups),
    key: z.string(),
    entitled: count.describe('Matched, and neither opted out, told otherwise nor held out.'),
    reached: count,
    share,
    interval,
    ...masked,
  })
  .meta({ id: 'CoverageRow' });

const worstShape = coverageShape
  .extend({ certain: z.boolean().describe('It is worse than all together by more than chance explains.') })
  .meta({ id: 'WorstServed' });

const satisfactionShape = z
  .object({
    key: z.string(),
    title: orNull(z.string()),
    ratings: count,
    mean: share,
    byRating: z.array(z.int()).describe('How many gave 1, 2, 3, 4, 5.'),
    share: share.describe('Of those who gave 4 or 5.'),
    interval,
    ...masked,
  })
  .meta({ id: 'SatisfactionRow' });

type Found = Period & { asOf: number | null };

const reply = <F extends Found>(deps: Deps, name: string, format: 'json' | 'csv', found: F, table: Table) => {
  if (format === 'json')
    return { status: 200, body: { ...found, asOf: new Date(found.asOf ?? deps.now()).toISOString() } };
  return csvAnswer(name, found, toCsv(table.columns, table.lines));
};

/** Numbers of small groups are exact for the admin scope alone, and audited. */
const common = { method: 'get', tag: 'Reports', scope: 'analyse', audited: true } as const;

const funnelRoute = (deps: Deps): Route =>
  route({
    ...common,
    path: '/reports/funnel',
    operationId: 'reportFunnel',
    summary:
      'From matched to acted, of the pushes made in the span; by channel it counts messages. With `format=csv` the rows alone, as text/csv.',
    query: z.strictObject({ ...reportQuery, by: z.enum(funnelBys).optional() }),
    responses: {
      200: reportShape(funnelShape, {
        total: funnelShape,
        opens: z
          .object({ atMost: z.int() })
          .describe(
            'Messages seen opened, where that is switched on: at most so many were read, as proxies open everything.',
          ),
      }),
    },
    handler: async ({ query: { format, by, ...asked }, caller }) => {
      const exact = holds(caller, 'admin');
      const { opens, ...found } = await deps.reports.funnel(periodAsked(asked, deps), by ?? null);
      const rows = maskedRows(found.rows, countedBy.funnel, exact);
      const total = maskedRow(found.total, found.total.matched, exact);
      return reply(deps, 'funnel', format, { ...found, rows, total, opens: { atMost: opens } }, funnelTable(rows));
    },
  });

const rulesRoute = (deps: Deps): Route =>
  route({
    ...common,
    path: '/reports/rules',
    operationId: 'reportRules',
    summary:
      'What each version of a rule was worth, with its uncertainty, and its lift against the holdout. With `format=csv` the rows alone, as text/csv.',
    query: z.strictObject(reportQuery),
    responses: { 200: reportShape(ruleShape, {}) },
    handler: async ({ query: { format, ...asked }, caller }) => {
      const exact = holds(caller, 'admin');
      const found = await deps.reports.rules(periodAsked(asked, deps));
      const rows = maskedRows(found.rows, countedBy.funnel, exact, ['version']);
      return reply(deps, 'rules', format, { ...found, rows }, rulesTable(rows));
    },
  });

const coverageRoute = (deps: Deps): Route =>
  route({
    ...common,
    path: '/reports/coverage',
    operationId: 'reportCoverage',
    summary:
      'Of those who were owed a message, who got one: by region, age band, language and channel, with the group served worst. With `format=csv` the rows alone, as text/csv.',
    query: z.strictObject(reportQuery),
    responses: { 200: reportShape(coverageShape, { worst: orNull(worstShape) }) },
    handler: async ({ query: { format, ...asked }, caller }) => {
      const exact = holds(caller, 'admin');
      const found = await deps.reports.coverage(periodAsked(asked, deps));
      const rows = maskedRows(found.rows, countedBy.coverage, exact);
      const worst = maskedWorst(found.worst, rows);
      return reply(deps, 'coverage', format, { ...found, rows, worst }, coverageTable(rows));
    },
  });

const satisfactionRoute = (deps: Deps): Route =>
  route({
    ...common,
    path: '/reports/satisfaction',
    operationId: 'reportSatisfaction',
    summary:
      'What people rated, by topic or item: the mean, and the share of 4 and 5 with its interval. With `format=csv` the rows alone, as text/csv.',
    query: z.strictObject({ ...reportQuery, by: z.enum(satisfactionBys).default('topic') }),
    responses: { 200: reportShape(satisfactionShape, {}) },
    handler: async ({ query: { format, by, ...asked }, caller }) => {
      const exact = holds(caller, 'admin');
      const found = await deps.reports.satisfaction(periodAsked(asked, deps), by);
      const rows = maskedRows(found.rows, countedBy.satisfaction, exact);
      return reply(deps, 'satisfaction', format, { ...found, rows }, satisfactionTable(rows));
    },
  });

/** What analysts read of messages and what came back. */
export const engagementRoutes = (deps: Deps): Route[] => [
  funnelRoute(deps),
  rulesRoute(deps),
  coverageRoute(deps),
  satisfactionRoute(deps),
];
