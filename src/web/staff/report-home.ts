import type { FunnelRow, WorstServed } from '../../reports/figures.ts';
import { lastDays, type Period, periodBefore } from '../../reports/period.ts';
import type { DayRow, ReportService, TuningHistory } from '../../reports/report-service.ts';
import { liftOf } from '../../tuning/lift.ts';
import { countedBy, type MaskedRow, maskedRows, maskedWorst } from '../masked-rows.ts';
import type { Voice } from '../pages/present.ts';
import { keyName, numberText, percentText } from './report-tables.ts';

const weekDays = 7;
const chartDays = 28;
const changesRead = 50;
const fewest = 10;

type Part = { part: number; whole: number };
type Week = { sent: number; reached: Part; acted: Part; unwanted: Part; content: Part };
const shares = ['reached', 'acted', 'unwanted', 'content'] as const;

/** One of the figures: what it is now, and what it was in the week before. */
type Figure = { label: string; value: string; before: string };

export type ReportHome = {
  period: Period;
  figures: Figure[];
  changes: string[];
  worst: string;
  days: DayRow[];
  asOf: number | null;
};

const unwantedOf = ({ notForMe, tooMany, stops, complaints }: FunnelRow): number =>
  notForMe + tooMany + stops + complaints;

const shareText = (voice: Voice, { part, whole }: Part): string | null =>
  // of so few, a share would say something of each
  whole < fewest ? null : percentText(voice, part / whole);

/** Shares that moved by more than chance explains: the 95 % interval of the difference leaves out 0. */
const movedOf = (voice: Voice, now: Week, before: Week): string[] =>
  shares.flatMap((name) => {
    const [a, b] = [now[name], before[name]];
    const values = { now: shareText(voice, a), before: shareText(voice, b) };
    const found = liftOf({ people: a.whole, viewed: a.part }, { people: b.whole, viewed: b.part });
    if (!found || values.now === null || values.before === null) return [];
    const [low, high] = found.interval;
    if (low <= 0 && high >= 0) return [];
    return [voice.t(`reports:changed.${name}${low > 0 ? 'Up' : 'Down'}`, values)];
  });

export const worstText = (voice: Voice, worst: MaskedRow<WorstServed, never> | null): string => {
  if (!worst) return voice.t('reports:nobodyWorst');
  const { group, key, reached, entitled, share, certain } = worst;
  const named = { group: voice.t(`reports:by.${group}`), name: keyName(voice, group, key) };
  if (reached === null || entitled === null) return voice.t('reports:worstNamed', named);
  return voice.t(certain ? 'reports:worst' : 'reports:worstPerhaps', {
    ...named,
    reached: numberText(voice, reached),
    entitled: numberText(voice, entitled),
    share: percentText(voice, share ?? 0),
  });
};

const weekOf = async (reports: ReportService, period: Period) => {
  const [funnel, coverage, ratings] = await Promise.all([
    reports.funnel(period, null),
    reports.coverage(period),
    reports.satisfaction(period, 'item'),
  ]);
  const languages = coverage.rows.filter(({ group }) => group === 'language');
  const sum = (list: number[]): number => list.reduce((total, one) => total + one, 0);
  const { total } = funnel;
  const week: Week = {
    sent: total.sent,
    // everybody has one language
    reached: { part: sum(languages.map((row) => row.reached)), whole: sum(languages.map((row) => row.entitled)) },
    acted: { part: total.acted, whole: total.sent },
    unwanted: { part: Math.min(total.sent, unwantedOf(total)), whole: total.sent },
    content: {
      part: sum(ratings.rows.map(({ byRating }) => (byRating[3] ?? 0) + (byRating[4] ?? 0))),
      whole: sum(ratings.rows.map((row) => row.ratings)),
    },
  };
  // the page is everybody's who may read reports
  const worst = maskedWorst(coverage.worst, maskedRows(coverage.rows, countedBy.coverage, false));
  return { week, worst, asOf: funnel.asOf };
};

const figuresOf = (voice: Voice, now: Week, before: Week): Figure[] => {
  const { t } = voice;
  const figure = (name: string, value: string | null, was: string | null): Figure => ({
    label: t(`reports:figure.${name}`),
    value: value ?? t('reports:figure.unknown'),
    before: t('reports:figure.before', { value: was ?? t('reports:figure.unknown') }),
  });
  return [
    figure('sent', numberText(voice, now.sent), numberText(voice, before.sent)),
    ...shares.map((name) => figure(name, shareText(voice, now[name]), shareText(voice, before[name]))),
  ];
};

/** The figures that matter this week, against the week before, and what is different by more than chance. */
export const readReportHome = async (
  reports: ReportService,
  history: TuningHistory,
  voice: Voice,
  now: number,
): Promise<ReportHome> => {
  const period = lastDays(weekDays, voice.timeZone, now);
  const [current, before, days, tuned] = await Promise.all([
    weekOf(reports, period),
    weekOf(reports, periodBefore(period)),
    reports.byDay(lastDays(chartDays, voice.timeZone, now)),
    history.changes({ cursor: null, limit: changesRead }),
  ]);
  const count = tuned.rows.filter(({ at }) => at >= now - weekDays * 86_400_000).length;
  const changes = [
    ...movedOf(voice, current.week, before.week),
    ...(count > 0 ? [voice.t('reports:changed.tuning', { count })] : []),
  ];
  return {
    period,
    figures: figuresOf(voice, current.week, before.week),
    changes: changes.length > 0 ? changes : [voice.t('reports:changed.nothing')],
    worst: worstText(voice, current.worst),
    days: maskedRows(days, countedBy.funnel, false) as typeof days,
    asOf: current.asOf,
  };
};
