import { type Request, type Response, Router } from 'express';
import type { Staff } from '../../access/access-store.ts';
import { isDay } from '../../calendar/working-day.ts';
import { toCsv } from '../../reports/csv.ts';
import { coverageGroups } from '../../reports/figures.ts';
import { type Period, periodOf } from '../../reports/period.ts';
import { funnelBys, satisfactionBys } from '../../reports/report-service.ts';
import { countedBy, maskedRow, maskedRows, maskedWorst } from '../masked-rows.ts';
import type { Pages } from '../pages/page.ts';
import { momentOf, type Voice } from '../pages/present.ts';
import { queryText } from '../pages/request.ts';
import { coverageTable, funnelTable, rulesTable, satisfactionTable, type Table } from '../report-columns.ts';
import { readReportHome, worstText } from './report-home.ts';
import {
  coverageGroupTable,
  dayTable,
  funnelByTable,
  type PageTable,
  ruleNamesOf,
  rulesPageTable,
  satisfactionPageTable,
  stoppedTable,
  tuningTable,
} from './report-tables.ts';
import type { StaffDeps, StaffPages } from './staff-pages.ts';

/** One report as a page: what it was asked for, its tables, remarks below its question. `csv`: the same rows as a file. */
type Shown = { asOf: number | null; tables: PageTable[]; notes: string[]; csv: Table };

/** How a report is read for a page. `bys`: what it may be grouped by, the first unless another is chosen. */
type ReportPage = {
  name: 'funnel' | 'rules' | 'coverage' | 'satisfaction';
  bys: readonly string[];
  read(deps: StaffDeps, voice: Voice, asked: { period: Period; by: string; exact: boolean }): Promise<Shown>;
};

const one = <T extends string>(list: readonly T[], wanted: string | null): T =>
  list.find((name) => name === wanted) ?? (list[0] as T);

const funnelPage: ReportPage = {
  name: 'funnel',
  bys: funnelBys,
  read: async ({ reports }, voice, { period, by, exact }) => {
    const [found, days, rules] = await Promise.all([
      reports.funnel(period, one(funnelBys, by)),
      reports.byDay(period),
      reports.rules(period),
    ]);
    const rows = maskedRows(found.rows, countedBy.funnel, exact);
    const total = maskedRow(found.total, found.total.matched, exact);
    return {
      asOf: found.asOf,
      tables: [
        funnelByTable(voice, by, rows, ruleNamesOf(rules.rows)),
        dayTable(voice, maskedRows(days, countedBy.funnel, exact) as typeof days),
        stoppedTable(voice, total),
      ],
      notes: found.opens > 0 ? [voice.t('reports:opens', { count: found.opens })] : [],
      csv: funnelTable(rows),
    };
  },
};

const rulesPage: ReportPage = {
  name: 'rules',
  bys: [],
  read: async ({ reports }, voice, { period, exact }) => {
    const found = await reports.rules(period);
    const rows = maskedRows(found.rows, countedBy.funnel, exact, ['version']);
    return { asOf: found.asOf, tables: [rulesPageTable(voice, rows)], notes: [], csv: rulesTable(rows) };
  },
};

const coveragePage: ReportPage = {
  name: 'coverage',
  bys: [],
  read: async ({ reports }, voice, { period, exact }) => {
    const found = await reports.coverage(period);
    const rows = maskedRows(found.rows, countedBy.coverage, exact);
    return {
      asOf: found.asOf,
      tables: coverageGroups.map((group) =>
        coverageGroupTable(
          voice,
          group,
          rows.filter((row) => row.group === group),
        ),
      ),
      notes: [worstText(voice, maskedWorst(found.worst, rows))],
      csv: coverageTable(rows),
    };
  },
};

const satisfactionPage: ReportPage = {
  name: 'satisfaction',
  bys: satisfactionBys,
  read: async ({ reports }, voice, { period, by, exact }) => {
    const found = await reports.satisfaction(period, one(satisfactionBys, by));
    const rows = maskedRows(found.rows, countedBy.satisfaction, exact);
    return {
      asOf: found.asOf,
      tables: [satisfactionPageTable(voice, by, rows)],
      notes: [],
      csv: satisfactionTable(rows),
    };
  },
};

const reportPages = [funnelPage, rulesPage, coveragePage, satisfactionPage];

/** The days of the form; null where they are none, or end before they begin. */
const askedPeriod = (req: Request, timeZone: string, now: number): Period | null => {
  const [from, to] = [queryText(req, 'from'), queryText(req, 'to')];
  if ([from, to].some((day) => day !== null && !isDay(day))) return null;
  const period = periodOf({ from: from ?? undefined, to: to ?? undefined }, timeZone, now);
  return period.from <= period.to ? period : null;
};

const asOfText = (voice: Voice, asOf: number | null): string =>
  asOf === null ? voice.t('reports:notCounted') : voice.t('reports:asOf', { when: momentOf(voice, asOf) });

/** The pages of analysts: this week, the reports with their charts, what tuning changed. */
export const analystRouter = (deps: StaffDeps, pages: Pages, own: StaffPages): Router => {
  const { edges, config } = deps;
  const tabs = ['home', ...reportPages.map(({ name }) => name), 'tuning'];
  const frame = (tab: string) => ({ tabs, tab });

  const home = async (req: Request, res: Response, me: Staff) => {
    const voice = await pages.voice(req);
    const found = await readReportHome(deps.reports, deps.tuning, voice, edges.now());
    const values = { ...found, asOf: asOfText(voice, found.asOf), tables: [dayTable(voice, found.days)] };
    own.show(req, res, me, 'reports/home', { ...frame('home'), ...values });
  };

  const report = (page: ReportPage) => async (req: Request, res: Response, me: Staff) => {
    const voice = await pages.voice(req);
    const exact = me.roles.includes('admin');
    const by = one(page.bys, queryText(req, 'by')) ?? '';
    const asked = askedPeriod(req, config.timeZone, edges.now());
    const period = asked ?? periodOf({}, config.timeZone, edges.now());
    const found = await page.read(deps, voice, { period, by, exact });
    if (exact)
      await deps.access.audit({ actor: me.id, action: `report:${page.name}`, subject: null, details: { ...period } });
    if (asked && queryText(req, 'format') === 'csv') {
      const name = `${page.name}-${period.from}-${period.to}.csv`;
      res.set({ 'Content-Disposition': `attachment; filename="${name}"`, 'Cache-Control': 'private, no-store' });
      res.type('text/csv; charset=utf-8').send(toCsv(found.csv.columns, found.csv.lines));
      return;
    }
    const values = { ...period, by, bys: page.bys, name: page.name, tables: found.tables, notes: found.notes, exact };
    const faults = asked ? {} : { from: 'reports:form.fault' };
    const shown = { ...frame(page.name), ...values, faults, asOf: asOfText(voice, found.asOf) };
    own.show(req, res, me, 'reports/report', shown, asked ? 200 : 400);
  };

  const tuning = async (req: Request, res: Response, me: Staff) => {
    const voice = await pages.voice(req);
    const cursor = queryText(req, 'cursor');
    const found = await deps.tuning.changes({ cursor, limit: 50 });
    const { rows } = await deps.reports.rules(periodOf({}, config.timeZone, edges.now()));
    const names = new Map(rows.map(({ rule, name }) => [rule, name ?? rule]));
    const table = tuningTable(voice, found.rows, names, (at) => momentOf(voice, at));
    own.show(req, res, me, 'reports/tuning', {
      ...frame('tuning'),
      tables: [table],
      next: found.next ? `/staff/reports/tuning?cursor=${encodeURIComponent(found.next)}` : null,
    });
  };

  const router = Router()
    .get('/staff/reports', own.only(home, 'analyst'))
    .get('/staff/reports/tuning', own.only(tuning, 'analyst'));
  for (const page of reportPages) router.get(`/staff/reports/${page.name}`, own.only(report(page), 'analyst'));
  return router;
};
