import type { Cell } from '../reports/csv.ts';
import type { CoverageRow, FunnelRow, RuleRow, SatisfactionRow } from '../reports/figures.ts';
import type { MaskedRow } from './masked-rows.ts';

export type ShownFunnel = MaskedRow<FunnelRow, never>;
export type ShownRule = MaskedRow<RuleRow, 'version'>;
export type ShownCoverage = MaskedRow<CoverageRow, never>;
export type ShownSatisfaction = MaskedRow<SatisfactionRow, never>;

/** Rows as a table: the names of its columns, and lines of cells by name. */
export type Table = { columns: string[]; lines: Record<string, Cell>[] };

const tableOf = (lines: Record<string, Cell>[], columns: string[]): Table => ({ columns, lines });

/** Steps and standings, then a column for each reason that somebody did not go on for. */
export const funnelTable = (rows: readonly ShownFunnel[]): Table => {
  const codes = [...new Set(rows.flatMap(({ byCode }) => byCode.map(({ state, code }) => `${state}:${code}`)))].sort();
  const lines = rows.map(({ byCode, fewerThan, ...row }) => ({
    ...row,
    ...Object.fromEntries(codes.map((code) => [code, fewerThan ? null : 0])),
    ...Object.fromEntries(byCode.map(({ state, code, people }) => [`${state}:${code}`, people])),
  }));
  const own = [
    ...['key', 'matched', 'sent', 'delivered', 'seen', 'clicked', 'acted', 'useful', 'notForMe', 'tooMany', 'stops'],
    ...['complaints', 'withheld', 'deferred', 'digested', 'failed', 'bounced', 'cancelled', 'planned', 'sending'],
  ];
  return tableOf(lines, [...own, ...codes]);
};

export const rulesTable = (rows: readonly ShownRule[]): Table =>
  tableOf(
    rows.map(({ posterior, lift, fewerThan: _few, ...row }) => ({
      ...row,
      worth: posterior?.mean ?? null,
      worthFrom: posterior?.interval[0] ?? null,
      worthTo: posterior?.interval[1] ?? null,
      judged: posterior?.messages ?? null,
      lift: lift?.lift ?? null,
      liftFrom: lift?.interval[0] ?? null,
      liftTo: lift?.interval[1] ?? null,
      told: lift?.told.people ?? null,
      heldOut: lift?.heldOut.people ?? null,
    })),
    [
      ...[
        'rule',
        'version',
        'name',
        'matched',
        'sent',
        'clicked',
        'useful',
        'notForMe',
        'tooMany',
        'stops',
        'complaints',
      ],
      ...['worth', 'worthFrom', 'worthTo', 'judged', 'lift', 'liftFrom', 'liftTo', 'told', 'heldOut'],
    ],
  );

const withInterval = <Row extends { interval: [number, number] }>({ interval, ...row }: Row) => ({
  ...row,
  from: interval[0] ?? null,
  to: interval[1] ?? null,
});

export const coverageTable = (rows: readonly ShownCoverage[]): Table =>
  tableOf(
    rows.map(({ fewerThan: _few, ...row }) => withInterval(row)),
    ['group', 'key', 'entitled', 'reached', 'share', 'from', 'to'],
  );

export const satisfactionTable = (rows: readonly ShownSatisfaction[]): Table =>
  tableOf(
    rows.map(({ fewerThan: _few, byRating, ...row }) => ({
      ...withInterval(row),
      ...Object.fromEntries([1, 2, 3, 4, 5].map((rating) => [`rated${rating}`, byRating[rating - 1] ?? null])),
    })),
    ['key', 'title', 'ratings', 'mean', 'share', 'from', 'to', 'rated1', 'rated2', 'rated3', 'rated4', 'rated5'],
  );
