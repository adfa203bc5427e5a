/** What a column of a statement's parameters may hold. */
export type ColumnValue = string | number | boolean | null;

/**
 * A column of rows as PostgreSQL reads an array, for `unnest`. pg would write arrays too, element by element, with several
 * times the garbage. In a column many neighbours are alike; such a value is written once and used again.
 */
export function columnText<Row>(rows: readonly Row[], read: (row: Row) => ColumnValue): string {
  let last: ColumnValue | undefined;
  let text = '';
  const elements = rows.map((row) => {
    const value = read(row);
    if (value !== last) {
      last = value;
      text = elementText(value);
    }
    return text;
  });
  return `{${elements.join(',')}}`;
}

function elementText(value: ColumnValue): string {
  if (value === null) return 'NULL';
  if (typeof value !== 'string') return String(value);
  return `"${/["\\]/.test(value) ? value.replaceAll(/["\\]/g, String.raw`\$&`) : value}"`;
}
