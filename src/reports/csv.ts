/** A cell of a report. */
export type Cell = string | number | boolean | null;

/** What a spreadsheet would take for a formula (also in its full-width forms) or skip: such a text is led by an apostrophe. */
const formula = /^[\s\p{C}]*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20|%]|^[\t\r\n]/u;

const cellText = (cell: Cell): string => {
  if (cell === null) return '';
  if (typeof cell !== 'string') return String(cell);
  return formula.test(cell) ? `'${cell}` : cell;
};

const quoted = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/**
 * Rows as CSV (RFC 4180: CRLF, quotes doubled) with a header of their names; numbers stay numbers, and no text can become a
 * formula in a spreadsheet.
 */
export const toCsv = (columns: readonly string[], rows: readonly Record<string, Cell>[]): string =>
  [columns, ...rows.map((row) => columns.map((column) => row[column] ?? null))]
    .map((line) => `${line.map((cell) => quoted(cellText(cell))).join(',')}\r\n`)
    .join('');
