import { parseJsonExact } from '../json/index.ts';
import type { CsvRow } from './parse-csv-rows.ts';
import type { Complaint } from './record-problem.ts';

/** One record as read from its own text; `linesDown` counts from its first line, `broken` tells that its end is a guess. */
export type Reading =
  | { ok: true; value: Record<string, unknown> }
  | { ok: false; complaint: Complaint; linesDown: number; broken: boolean };

export function readJsonRecord(text: string, limits: { maxDepth: number }): Reading {
  const result = parseJsonExact(text, limits);
  if (result.ok) {
    if (isObject(result.value)) return { ok: true, value: result.value };
    return refuse({ expected: 'an object', got: nameKind(result.value) });
  }
  const { kind, path, line, expected, got } = result.problem;
  const complaint = path === '' ? { expected, got } : { field: path, expected, got };
  return { ok: false, complaint, linesDown: line - 1, broken: kind === 'syntax' };
}

export function readCsvRecord(row: CsvRow, header: readonly string[]): Reading {
  if (!row.ok) return refuse(row.complaint, nameOf(header, row.column));
  const { fields } = row;
  if (fields.length !== header.length) {
    const expected = header.length === 1 ? '1 field' : `${header.length} fields`;
    return refuse({ expected, got: String(fields.length) });
  }
  const record: Record<string, unknown> = {};
  for (let column = 0; column < header.length; column++) {
    const text = fields[column] as string;
    if (text.includes('\0')) {
      return refuse({ expected: 'text without U+0000', got: 'a field with it' }, nameOf(header, column));
    }
    record[header[column] as string] = text;
  }
  return { ok: true, value: record };
}

function refuse(complaint: Complaint, field?: string): Reading {
  const named = field === undefined ? complaint : { ...complaint, field };
  return { ok: false, complaint: named, linesDown: 0, broken: false };
}

function nameOf(header: readonly string[], column: number | undefined): string | undefined {
  return column === undefined ? undefined : header[column];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function nameKind(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  return `a ${typeof value}`;
}
