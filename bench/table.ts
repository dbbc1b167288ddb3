/** The value that `share` of the values lie below. */
export const percentile = (values: number[], share: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN;

/** The middle value. */
export const median = (values: number[]): number => percentile(values, 0.5);

/** Prints rows under a header, columns padded; numbers to the right. */
export const printTable = (header: string[], rows: (string | number)[][]): void => {
  const cells = [header, ...rows.map((row) => row.map(String))];
  const widths = header.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: string[]): string =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ');
  process.stdout.write(`${cells.map(line).join('\n')}\n\n`);
};
