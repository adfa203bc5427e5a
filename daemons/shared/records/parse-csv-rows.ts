import { CsvError, parse } from 'csv-parse/sync';
import { describeText, describeValue } from '../json/describe-value.ts';
import { isForbiddenKey } from '../json/index.ts';
import type { Complaint } from './record-problem.ts';

export type CsvRow =
  | { ok: true; fields: string[] }
  | { ok: false; complaint: Complaint; column: number | undefined };

/** The fields of a run of rows, or undefined when some row in it is not RFC 4180: then each is to be parsed alone. */
export function parseCsvRows(bytes: Buffer): string[][] | undefined {
  try {
    return parseStrictly(bytes);
  } catch (error) {
    if (error instanceof CsvError) return undefined;
    throw error;
  }
}

/** The fields of one row without its line end. */
export function parseCsvRow(bytes: Buffer): CsvRow {
  try {
    const rows = parseStrictly(bytes);
    if (rows.length === 1 && rows[0] !== undefined) return { ok: true, fields: rows[0] };
    return { ok: false, complaint: { expected: 'one row', got: `${rows.length} rows` }, column: undefined };
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const column = typeof error['column'] === 'number' ? error['column'] : undefined;
    return { ok: false, complaint: explain(error), column };
  }
}

function parseStrictly(bytes: Buffer): string[][] {
  return parse(bytes, {
    bom: false,
    columns: false,
    record_delimiter: ['\r\n', '\n'],
    relax_column_count: true,
    skip_empty_lines: true,
  });
}

function explain(error: CsvError): Complaint {
  // Typed as one of the codes that csv-parse documents; this one it spells without the prefix.
  const code: string = error.code;
  if (code.endsWith('INVALID_OPENING_QUOTE')) {
    const got = 'a quote in a field that does not begin with one';
    return { expected: 'a field with quotes in it to be quoted and its quotes doubled', got };
  }
  if (code === 'CSV_INVALID_CLOSING_QUOTE') {
    return { expected: 'a comma or the end of the row after a closing quote', got: 'other text' };
  }
  return { expected: 'a row as in RFC 4180', got: describeText(error.message) };
}

/** Checks the names of the columns; a complaint makes the whole file unreadable. */
export function checkCsvHeader(header: readonly string[]): Complaint | undefined {
  const [only] = header;
  const separator = header.length === 1 && only !== undefined ? /[;\t|]/.exec(only)?.[0] : undefined;
  if (separator !== undefined) {
    return { expected: 'column names separated by commas', got: `the separator ${describeValue(separator)}` };
  }
  const seen = new Set<string>();
  for (const [column, name] of header.entries()) {
    const field = `column ${column + 1}`;
    if (name === '') return { field, expected: 'a column name', got: 'an empty one' };
    if (name !== name.trim()) {
      return { field, expected: 'a column name without spaces around it', got: describeValue(name) };
    }
    if (/\p{Cc}/u.test(name)) {
      return { field, expected: 'a column name without control characters', got: describeValue(name) };
    }
    if (isForbiddenKey(name)) {
      return {
        field,
        expected: 'a column name other than __proto__, constructor and prototype',
        got: describeValue(name),
      };
    }
    if (seen.has(name))
      return { field, expected: 'each column name once', got: `${describeValue(name)} again` };
    seen.add(name);
  }
  return undefined;
}
