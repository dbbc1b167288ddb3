/**
 * What reports count by. `total` has one key, the empty text; `item` has ratings alone. A key is `none` where there is
 * nothing to name: no rule matched, nothing left, the person told no region.
 */
export const dimensions = ['total', 'channel', 'topic', 'rule', 'region', 'hour', 'age', 'language', 'item'] as const;
export type Dimension = (typeof dimensions)[number];
export const noKey = 'none';

/** **measures**: counts by name; what is not named is 0. Most count people in a push, those of channels its messages. */
export type Measures = Record<string, number>;

/** **cells**: measures by key of each dimension. */
export type Cells = Partial<Record<Dimension, Record<string, Measures>>>;

/** The steps from being matched to acting, each a part of the one before but `clicked` and `acted`, which are parts of `seen`. */
export const funnelSteps = ['matched', 'sent', 'delivered', 'seen', 'clicked', 'acted'] as const;
export type FunnelStep = (typeof funnelSteps)[number];

/** The measure of people in a state, for a reason (`code`). */
export const codeMeasure = (state: string, code: string | null): string => `${state}:${code ?? ''}`;
/** State and reason of such a measure, or null for measures of other kinds. */
export const codeOfMeasure = (measure: string): { state: string; code: string } | null => {
  const at = measure.indexOf(':');
  return at < 0 ? null : { state: measure.slice(0, at), code: measure.slice(at + 1) };
};

export const ratingMeasures = ['rated1', 'rated2', 'rated3', 'rated4', 'rated5'] as const;

/** Adds measures to those of a key. */
export const addMeasures = (to: Measures, from: Measures): void => {
  for (const name in from) to[name] = (to[name] ?? 0) + (from[name] ?? 0);
};

/** The measures of a key, which may be added to. */
const cellOf = (cells: Cells, dimension: Dimension, key: string): Measures => {
  // without a prototype, so that no key is there before it was counted, whatever it is called
  const keys: Record<string, Measures> = cells[dimension] ?? Object.create(null);
  cells[dimension] = keys;
  const own = keys[key] ?? {};
  keys[key] = own;
  return own;
};

/** Adds one to each of these measures of a key. */
export const countOne = (cells: Cells, dimension: Dimension, key: string, names: readonly string[]): void => {
  const own = cellOf(cells, dimension, key);
  for (const name of names) own[name] = (own[name] ?? 0) + 1;
};

/** Adds cells to cells. */
export const addCells = (to: Cells, from: Cells): void => {
  for (const dimension of dimensions)
    for (const [key, measures] of Object.entries(from[dimension] ?? {}))
      addMeasures(cellOf(to, dimension, key), measures);
};

/** The month of a day: 2026-06 of 2026-06-10. */
export const monthOf = (day: string): string => day.slice(0, 7);

/** The spans that days are summed up in: themselves and their months. */
export const spansOf = (...days: string[]): string[] => [...new Set(days.flatMap((day) => [day, monthOf(day)]))];
