/** Rows about fewer people than this tell no numbers to whoever may not read people (api: Rules and audiences). */
const fewest = 10;

type Hidden<T> = T extends number ? T | null : T extends unknown[] ? T : T extends object ? T | null : T;
/** A row whose numbers may be left out: null, and lists empty. */
export type MaskedRow<Row, Kept extends keyof Row> = {
  [Name in keyof Row]: Name extends Kept ? Row[Name] : Hidden<Row[Name]>;
} & { fewerThan?: typeof fewest };

const hidden = (value: unknown): unknown => {
  if (Array.isArray(value)) return [];
  return typeof value === 'string' ? value : null;
};

/**
 * A report's row, without its numbers if it is about 1 to 9 people (`people`) and the reader may not see those (`exact`):
 * in so small a group a count can say something of each. `kept` names numbers that say nothing of people.
 */
export const maskedRow = <Row extends object, Kept extends keyof Row = never>(
  row: Row,
  people: number,
  exact: boolean,
  kept: readonly Kept[] = [],
): MaskedRow<Row, Kept> => {
  if (exact || people < 1 || people >= fewest) return row as MaskedRow<Row, Kept>;
  const entries = Object.entries(row).map(([name, value]) => [
    name,
    kept.some((one) => one === name) ? value : hidden(value),
  ]);
  return { ...Object.fromEntries(entries), fewerThan: fewest } as MaskedRow<Row, Kept>;
};
