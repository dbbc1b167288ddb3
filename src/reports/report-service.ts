import type { Edges } from '../edges.ts';
import { ruleOfSource, ruleSource } from '../rules/rule.ts';
import type { Storage } from '../storage/storage.ts';
import type { Change } from '../tuning/tuning.ts';
import { addMeasures, type Dimension, type Measures, noKey } from './counters.ts';
import {
  type CoverageRow,
  coverageGroups,
  coverageRow,
  type FunnelRow,
  funnelRow,
  type RuleRow,
  ruleRow,
  type SatisfactionRow,
  satisfactionRow,
  type WorstServed,
  worstServed,
} from './figures.ts';
import { monthsIn, type Period } from './period.ts';

export const funnelBys = ['channel', 'topic', 'rule', 'region', 'hour'] as const;
type FunnelBy = (typeof funnelBys)[number];
export const satisfactionBys = ['topic', 'item'] as const;
type SatisfactionBy = (typeof satisfactionBys)[number];

/** A report. `asOf`: everything that had happened by then is in it (ms); null before anything was counted. */
type Report<Row> = Period & { rows: Row[]; asOf: number | null };

/** Where what tuning changed is read: newest first, by opaque cursor. */
export type TuningHistory = {
  changes(page: { cursor: string | null; limit: number }): Promise<{ rows: Change[]; next: string | null }>;
};

/** What is read of one day. */
export type DayRow = FunnelRow & { day: string };

export type ReportService = {
  /**
   * The steps from matched to acted of the pushes made in these days; without `by` one row of all. `opens`: messages of those
   * days that were seen opened, of which at most so many were read.
   */
  funnel(period: Period, by: FunnelBy | null): Promise<Report<FunnelRow> & { total: FunnelRow; opens: number }>;
  /** The same for each day by itself; days without a push are left out. */
  byDay(period: Period): Promise<DayRow[]>;
  /** Every version of a rule that matched somebody, the most told first. */
  rules(period: Period): Promise<Report<RuleRow>>;
  /** Who was owed a message and got one, by region, age band, language and channel. */
  coverage(period: Period): Promise<Report<CoverageRow> & { worst: WorstServed | null }>;
  /** Ratings, the most rated first; of items the first 200. */
  satisfaction(period: Period, by: SatisfactionBy): Promise<Report<SatisfactionRow>>;
};

/** Items that a report names, the most rated. */
const rowsMost = 200;
/** Sums that are remembered, some hundred kilobytes each at most. */
const knownMost = 50;

const byKey = (a: { key: string }, b: { key: string }): number => (a.key < b.key ? -1 : 1);

/** Reads the counters of reports. Nothing here looks at the ledger. */
export const makeReportService = (
  { reports, rules, items }: Pick<Storage, 'reports' | 'rules' | 'items'>,
  { edges }: { edges: Pick<Edges, 'now'> },
): ReportService => {
  /** What was added up last, of one revision of the sums: analysts look at the same days again and again. */
  const known = new Map<string, [string, Measures][]>();
  let knownOf = -1;

  const addUp = async (dimension: Dimension, period: Period): Promise<[string, Measures][]> => {
    const sum = new Map<string, Measures>();
    const { months, days } = monthsIn(period);
    for (const { from, to } of months ? [months, ...days] : days)
      for (const { cells } of await reports.sums(dimension, from, to))
        for (const key in cells) {
          const own = sum.get(key) ?? {};
          sum.set(key, own);
          addMeasures(own, cells[key] ?? {});
        }
    return [...sum];
  };

  const sums = async (dimension: Dimension, period: Period): Promise<[string, Measures][]> => {
    const { revision } = await reports.progress();
    if (revision !== knownOf || known.size >= knownMost) known.clear();
    knownOf = revision;
    const key = `${dimension} ${period.from} ${period.to}`;
    const found = known.get(key) ?? (await addUp(dimension, period));
    if (knownOf === revision) known.set(key, found);
    return found;
  };

  const framed = async <Row>(period: Period, rows: Row[]): Promise<Report<Row>> => {
    const { countedAt } = await reports.progress();
    return { ...period, rows, asOf: countedAt === null ? null : Math.min(countedAt, edges.now()) };
  };

  const titled = async (row: SatisfactionRow): Promise<SatisfactionRow> => ({
    ...row,
    title: (await items.get({ id: row.key }))?.content.title ?? null,
  });

  return {
    funnel: async (period, by) => {
      const [[, all = {}] = []] = await sums('total', period);
      const total = funnelRow('', all);
      const rows = by === null ? [total] : (await sums(by, period)).map(([key, one]) => funnelRow(key, one));
      rows.sort(by === 'hour' ? byKey : (a, b) => b.matched - a.matched || byKey(a, b));
      return { ...(await framed(period, rows)), total, opens: await reports.opens(period.from, period.to) };
    },
    byDay: async ({ from, to }) =>
      (await reports.sums('total', from, to)).map(({ span, cells }) => ({
        day: span,
        ...funnelRow('', cells[''] ?? {}),
      })),
    rules: async (period) => {
      const rows = (await sums('rule', period)).flatMap(([key, measures]) => {
        const rule = ruleOfSource(key);
        return rule ? [ruleRow(rule.rule, rule.version, measures)] : [];
      });
      const versions = await rules.versions(rows);
      const names = new Map(versions.map((one) => [ruleSource(one.rule, one.version), one.content.name]));
      const named = rows.map((row) => ({ ...row, name: names.get(ruleSource(row.rule, row.version)) ?? null }));
      return framed(
        period,
        named.sort((a, b) => b.sent - a.sent || (a.rule < b.rule ? -1 : 1) || b.version - a.version),
      );
    },
    coverage: async (period) => {
      const rows: CoverageRow[] = [];
      for (const group of coverageGroups) {
        const found = (await sums(group, period)).map(([key, one]) => coverageRow(group, key, one));
        rows.push(...found.filter(({ entitled }) => entitled > 0).sort((a, b) => (a.share ?? 0) - (b.share ?? 0)));
      }
      return { ...(await framed(period, rows)), worst: worstServed(rows) };
    },
    satisfaction: async (period, by) => {
      const rows = (await sums(by, period))
        .filter(([key]) => key !== noKey)
        .map(([key, one]) => satisfactionRow(key, one))
        .filter(({ ratings }) => ratings > 0);
      const shown = rows.sort((a, b) => b.ratings - a.ratings || byKey(a, b)).slice(0, rowsMost);
      return framed(period, by === 'item' ? await Promise.all(shown.map(titled)) : shown);
    },
  };
};
