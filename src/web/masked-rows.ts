/** Rows about fewer people than this tell no numbers to whoever may not read people (api: Rules and audiences). */
const fewest = 10;

type Hidden<T> = T extends number ? T | null : T extends unknown[] ? T : T extends object ? T | null : T;
/** A row whose numbers may be left out: null, and lists empty. */
export type MaskedRow<Row, Kept extends keyof Row> = {
  [Name in keyof Row]: Name extends Kept ? Row[Name] : Hidden<Row[Name]>;
} & { fewerThan?: typeof fewest };

const hidden = (value: unknown): unknown => {
  if (Array.isArray(value)) return [];
  return typeof value === 'string' || typeof value === 'boolean' ? value : null;
};

const isFew = (people: number): boolean => people > 0 && people < fewest;

const withoutNumbers = <Row extends object, Kept extends keyof Row>(row: Row, kept: readonly Kept[]) => {
  const entries = Object.entries(row).map(([name, value]) => [
    name,
    kept.some((one) => one === name) ? value : hidden(value),
  ]);
  return { ...Object.fromEntries(entries), fewerThan: fewest } as MaskedRow<Row, Kept>;
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
): MaskedRow<Row, Kept> => (exact || !isFew(people) ? (row as MaskedRow<Row, Kept>) : withoutNumbers(row, kept));

type Counted<Row> = { people: (row: Row) => number; group?: (row: Row) => string };

/**
 * Which rows of a report tell no numbers: those about 1 to 9 people, and, where they could be worked out from the total and the
 * other rows, the smallest of these as well, until what is hidden is two rows and ten people at least. `group`: rows of one
 * group add up to a total.
 */
export const hiddenRows = <Row>(rows: readonly Row[], { people, group = () => '' }: Counted<Row>): Set<Row> => {
  const all = new Set<Row>();
  for (const name of new Set(rows.map(group))) {
    const own = rows.filter((row) => group(row) === name && people(row) > 0).sort((a, b) => people(a) - people(b));
    const few = own.filter((row) => isFew(people(row)));
    let sum = few.reduce((total, row) => total + people(row), 0);
    // ascending, so that the next ones are the smallest of the others
    for (const row of few.length === 0 ? [] : own.slice(few.length)) {
      if (few.length >= 2 && sum >= fewest) break;
      few.push(row);
      sum += people(row);
    }
    for (const row of few) all.add(row);
  }
  return all;
};

/** The rows of a report, without numbers where they are hidden (`hiddenRows`) and the reader may not see them all (`exact`). */
export const maskedRows = <Row extends object, Kept extends keyof Row = never>(
  rows: readonly Row[],
  counted: Counted<Row>,
  exact: boolean,
  kept: readonly Kept[] = [],
): MaskedRow<Row, Kept>[] => {
  const none = exact ? new Set<Row>() : hiddenRows(rows, counted);
  return rows.map((row) => (none.has(row) ? withoutNumbers(row, kept) : (row as MaskedRow<Row, Kept>)));
};

/** How rows of each report are told to be about few people. */
export const countedBy = {
  funnel: { people: ({ matched }: { matched: number }) => matched },
  coverage: {
    people: ({ entitled }: { entitled: number }) => entitled,
    group: ({ group }: { group: string }) => group,
  },
  satisfaction: { people: ({ ratings }: { ratings: number }) => ratings },
};

/** The group served worst as its row is shown: its name alone, where that is hidden. */
export const maskedWorst = <Worst extends { group: string; key: string }>(
  worst: Worst | null,
  rows: readonly { group: string; key: string; fewerThan?: number }[],
): MaskedRow<Worst, never> | null => {
  const row = worst && rows.find(({ group, key }) => group === worst.group && key === worst.key);
  if (!worst || !row?.fewerThan) return worst as MaskedRow<Worst, never> | null;
  return withoutNumbers<Worst, never>(worst, []);
};
