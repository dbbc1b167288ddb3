import { funnelSteps } from '../../reports/counters.ts';
import type { FunnelRow } from '../../reports/figures.ts';
import type { DayRow } from '../../reports/report-service.ts';
import { ruleSource } from '../../rules/rule.ts';
import type { Change, Share as FoundShare } from '../../tuning/tuning.ts';
import { regionName, topicTitle, type Voice } from '../pages/present.ts';
import type { ShownCoverage, ShownFunnel, ShownRule, ShownSatisfaction } from '../report-columns.ts';

/** How a table is drawn: lines or bars of its series by row, or for each row a share with its interval. */
type ChartKind = 'lines' | 'bars' | 'intervals';
/** `value` is what a chart draws (null: nothing to draw), `range` the ends of its interval, with a blank between. */
type TableCell = { text: string; value?: number | null; range?: string };
type Column = { label: string; series?: true };
type TableRow = { head: string; cells: TableCell[] };

/** A table of a page, which a script may draw as a chart as well. Its first column names the rows. */
export type PageTable = {
  id: string;
  caption: string;
  chart: ChartKind | null;
  first: string;
  columns: Column[];
  rows: TableRow[];
  /** Rows that stand folded up below; a chart leaves them out. */
  more: TableRow[];
  /** The whole table is folded up, because its chart says nearly all. */
  isFolded: boolean;
};

const rowsMost = 15;
const foldedAbove = 10;

/** Cuts a long table: its first rows stand, the others are folded up; of lines, which need every row, all are. */
const cut = (table: Omit<PageTable, 'more' | 'isFolded'>): PageTable => {
  const { rows, chart } = table;
  const isLong = rows.length > (chart === 'lines' ? foldedAbove : rowsMost + foldedAbove);
  if (chart === 'lines') return { ...table, more: [], isFolded: isLong };
  const shown = isLong ? rowsMost : rows.length;
  return { ...table, rows: rows.slice(0, shown), more: rows.slice(shown), isFolded: false };
};

export const numberText = ({ locale }: Pick<Voice, 'locale'>, value: number): string =>
  new Intl.NumberFormat(locale, { maximumFractionDigits: 2 }).format(value);
export const percentText = ({ locale }: Pick<Voice, 'locale'>, value: number): string =>
  new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 1 }).format(value);

const counted = (voice: Voice, value: number | null): TableCell =>
  value === null ? { text: voice.t('reports:few'), value: null } : { text: numberText(voice, value), value };

const rangeText = (voice: Voice, [from, to]: readonly [number, number]): string =>
  `${percentText(voice, from)} – ${percentText(voice, to)}`;

/** A share, and its interval in a cell of its own; a script draws both. */
const shareCells = (voice: Voice, share: number | null, interval: readonly number[]): TableCell[] => {
  const [from, to] = interval;
  if (share === null || from === undefined || to === undefined) return [{ text: '–', value: null }, { text: '–' }];
  return [
    { text: percentText(voice, share), value: share, range: `${from} ${to}` },
    { text: rangeText(voice, [from, to]) },
  ];
};

/** Names of rules by their label. */
export type RuleNames = ReadonlyMap<string, string>;
export const ruleNamesOf = (rows: readonly { rule: string; version: number; name: string | null }[]): RuleNames =>
  new Map(rows.map(({ rule, version, name }) => [ruleSource(rule, version), `${name ?? rule} (${version})`]));

const plainNames: Record<string, Record<string, string>> = { language: { en: 'English', 'zh-CN': '中文' } };

/** What a key of a dimension is called. */
export const keyName = (voice: Voice, dimension: string, key: string, rules: RuleNames = new Map()): string => {
  if (key === 'none') return voice.t(`reports:none.${dimension}`);
  if (dimension === 'channel') return voice.t(`channel.${key}`);
  if (dimension === 'topic') return topicTitle(voice, key);
  if (dimension === 'region') return regionName(voice, key);
  if (dimension === 'rule') return rules.get(key) ?? key;
  if (dimension === 'hour') return `${key}:00`;
  if (dimension === 'age') return key.replace('-', '–');
  return plainNames[dimension]?.[key] ?? key;
};

const stepCells = (voice: Voice, row: ShownFunnel | DayRow): TableCell[] =>
  [...funnelSteps, 'withheld' as const].map((step) => counted(voice, row[step]));

const stepColumns = (voice: Voice, drawn: readonly string[]): Column[] =>
  [...funnelSteps, 'withheld'].map((step) => ({
    label: voice.t(`reports:count.${step}`),
    ...(drawn.includes(step) ? { series: true as const } : {}),
  }));

export const dayTable = (voice: Voice, rows: readonly DayRow[]): PageTable =>
  cut({
    id: 'by-day',
    caption: voice.t('reports:section.day'),
    chart: rows.length > 1 ? 'lines' : null,
    first: voice.t('reports:by.day'),
    columns: stepColumns(voice, ['sent', 'seen', 'acted']),
    rows: rows.map((row) => ({ head: row.day, cells: stepCells(voice, row) })),
  });

export const funnelByTable = (voice: Voice, by: string, rows: readonly ShownFunnel[], rules: RuleNames): PageTable =>
  cut({
    id: 'by',
    caption: voice.t('reports:section.by', { what: voice.t(`reports:by.${by}`).toLocaleLowerCase(voice.locale) }),
    chart: rows.length > 0 ? 'bars' : null,
    first: voice.t(`reports:by.${by}`),
    columns: stepColumns(voice, ['sent', 'seen', 'acted']),
    rows: rows.map((row) => ({ head: keyName(voice, by, row.key, rules), cells: stepCells(voice, row) })),
  });

/** Where people stopped, and why, most first; rows of fewer than ten show no numbers as everywhere. */
export const stoppedTable = (voice: Voice, { byCode }: Pick<FunnelRow, 'byCode'>): PageTable =>
  cut({
    id: 'stopped',
    caption: voice.t('reports:section.stopped'),
    chart: null,
    first: voice.t('reports:column.reason'),
    columns: [{ label: voice.t('reports:column.state') }, { label: voice.t('reports:column.people') }],
    rows: byCode.map(({ state, code, people }) => ({
      head: voice.t(`reports:code.${code}`, { defaultValue: code }),
      cells: [{ text: voice.t(`reports:state.${state}`) }, counted(voice, people)],
    })),
  });

export const rulesPageTable = (voice: Voice, rows: readonly ShownRule[]): PageTable => {
  const { t } = voice;
  return cut({
    id: 'worth',
    caption: t('reports:section.worth'),
    chart: rows.length > 0 ? 'intervals' : null,
    first: t('reports:column.name'),
    columns: [
      { label: t('reports:column.worth'), series: true },
      ...['range', 'judged', 'sent', 'useful', 'notForMe', 'stops', 'lift', 'liftRange'].map((name) => ({
        label: t(`reports:column.${name}`),
      })),
    ],
    rows: rows.map((row) => ({
      head: `${row.name ?? row.rule} (${row.version})`,
      cells: [
        ...shareCells(voice, row.posterior?.messages ? row.posterior.mean : null, row.posterior?.interval ?? []),
        counted(voice, row.posterior?.messages ?? null),
        ...[row.sent, row.useful, row.notForMe, row.stops].map((value) => counted(voice, value)),
        { text: row.lift ? percentText(voice, row.lift.lift) : t('reports:noLift') },
        { text: row.lift ? rangeText(voice, row.lift.interval) : '–' },
      ],
    })),
  });
};

export const coverageGroupTable = (voice: Voice, group: string, rows: readonly ShownCoverage[]): PageTable =>
  cut({
    id: `by-${group}`,
    caption: voice.t(`reports:section.${group}`),
    chart: rows.length > 1 ? 'intervals' : null,
    first: voice.t(`reports:by.${group}`),
    columns: [
      { label: voice.t('reports:column.share'), series: true },
      ...['range', 'entitled', 'reached'].map((name) => ({ label: voice.t(`reports:column.${name}`) })),
    ],
    rows: rows.map((row) => ({
      head: keyName(voice, group, row.key),
      cells: [...shareCells(voice, row.share, row.interval), counted(voice, row.entitled), counted(voice, row.reached)],
    })),
  });

export const satisfactionPageTable = (voice: Voice, by: string, rows: readonly ShownSatisfaction[]): PageTable =>
  cut({
    id: 'satisfaction',
    caption: voice.t('reports:section.by', { what: voice.t(`reports:by.${by}`).toLocaleLowerCase(voice.locale) }),
    chart: rows.length > 0 ? 'intervals' : null,
    first: voice.t(`reports:by.${by}`),
    columns: [
      { label: voice.t('reports:column.good'), series: true },
      ...['range', 'mean', 'ratings'].map((name) => ({ label: voice.t(`reports:column.${name}`) })),
    ],
    rows: rows.map((row) => ({
      head: row.title ?? keyName(voice, by, row.key),
      cells: [
        ...shareCells(voice, row.share, row.interval),
        { text: row.mean === null ? '–' : numberText(voice, row.mean) },
        counted(voice, row.ratings),
      ],
    })),
  });

const evidenceText = (voice: Voice, { evidence }: Change): string => {
  const { t } = voice;
  const parts = ({ share, half }: FoundShare, name: string) => ({
    [name]: percentText(voice, share),
    [`${name}Half`]: percentText(voice, half),
  });
  const n = numberText(voice, evidence.n);
  if (evidence.kind === 'worth')
    return t('reports:tuning.worth', { ...parts(evidence.worth, 'a'), floor: percentText(voice, evidence.floor), n });
  const [first, second] =
    evidence.kind === 'choice' ? [evidence.better, evidence.worse] : [evidence.above, evidence.below];
  return t('reports:tuning.compared', { ...parts(first, 'a'), ...parts(second, 'b'), n });
};

/** `when` writes a moment in words. */
export const tuningTable = (
  voice: Voice,
  changes: readonly Change[],
  names: ReadonlyMap<string, string>,
  when: (at: number) => string,
): PageTable => {
  const { t } = voice;
  return cut({
    id: 'tuning',
    caption: t('reports:pages.tuning'),
    chart: null,
    first: t('reports:column.date'),
    columns: ['rule', 'change', 'state', 'evidence'].map((name) => ({ label: t(`reports:column.${name}`) })),
    rows: changes.map((change) => ({
      head: when(change.at),
      cells: [
        { text: names.get(change.rule) ?? change.rule },
        {
          text: t('reports:tuning.change', {
            parameter: t(`reports:tuning.parameter.${change.parameter}`),
            from: change.from,
            to: change.to,
          }),
        },
        { text: t(`reports:tuning.state.${change.state}`) },
        { text: evidenceText(voice, change) },
      ],
    })),
  });
};
