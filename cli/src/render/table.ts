import Table from 'cli-table3';
import { cleanValue } from './clean-text.ts';
import { paint } from './paint.ts';

export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => unknown;
  readonly align?: 'right';
  /** On a terminal the column may be cut, so that lines do not wrap. */
  readonly flexible?: true;
  /** After everything unsafe was taken out. */
  readonly style?: (text: string) => string;
}

const NO_LINES = Object.fromEntries(
  [
    'top',
    'top-mid',
    'top-left',
    'top-right',
    'bottom',
    'bottom-mid',
    'bottom-left',
    'bottom-right',
    'left',
    'left-mid',
    'mid',
    'mid-mid',
    'right',
    'right-mid',
  ].map((part) => [part, '']),
);

const GAP = 2;
const SHORTEST = 8;

/** A table without lines: columns can be cut out by other programs. Every value is made safe for a terminal. */
export function renderTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  width?: number,
): string {
  const texts = rows.map((row) => columns.map((column) => cleanValue(column.value(row))));
  const widths = columns.map((column, index) =>
    Math.max(column.title.length, ...texts.map((line) => line[index]?.length ?? 0)),
  );
  shrink(columns, widths, width);
  const table = new Table({
    head: columns.map(({ title }) => paint('dim', title)),
    chars: { ...NO_LINES, middle: ' '.repeat(GAP) },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
    colAligns: columns.map(({ align }) => align ?? 'left'),
  });
  for (const line of texts) {
    table.push(
      line.map((text, index) => {
        const cut = cutText(text, widths[index] ?? text.length);
        return columns[index]?.style?.(cut) ?? cut;
      }),
    );
  }
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** The width to fit tables into; undefined when stdout is no terminal: nothing is cut then. */
export function terminalWidth(): number | undefined {
  return process.stdout.isTTY ? process.stdout.columns : undefined;
}

function shrink<Row>(columns: readonly Column<Row>[], widths: number[], available: number | undefined): void {
  if (available === undefined || available === 0) return;
  const total = () => widths.reduce((sum, width) => sum + width, GAP * (widths.length - 1));
  while (total() > available) {
    let widest = -1;
    columns.forEach((column, index) => {
      if (column.flexible && (widths[index] ?? 0) > Math.max(SHORTEST, widths[widest] ?? 0)) widest = index;
    });
    if (widest === -1) return;
    widths[widest] = Math.max(SHORTEST, (widths[widest] ?? 0) - (total() - available > 20 ? 10 : 1));
  }
}

function cutText(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(1, width - 1))}…`;
}
