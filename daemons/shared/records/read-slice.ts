import { createRecordReader } from './create-record-reader.ts';
import { defaultRecordLimits, type RecordFormat, type RecordLimits } from './record-limits.ts';
import type { RecordProblem } from './record-problem.ts';

export interface SliceToRead {
  format: RecordFormat;
  /** The header that the index of a CSV has; required for CSV. */
  csvHeader?: readonly string[];
  firstIndex: number;
  line: number;
  /** When given, fewer or more records than this are damage. */
  count?: number;
}

export interface SliceRecord {
  /** The record's number in the file, from 0. */
  index: number;
  /** The line of the file on which it begins, from 1. */
  line: number;
  /** CSV: every value a string, see `coerceCsv`. */
  value: Record<string, unknown>;
}

/**
 * The bytes are not those that were indexed: every record was sound when the file was uploaded. `problem` is absent
 * when only the number of records is wrong.
 */
export class DamagedSliceError extends Error {
  override readonly name = 'DamagedSliceError';
  readonly problem: RecordProblem | undefined;

  constructor(message: string, problem?: RecordProblem) {
    super(message);
    this.problem = problem;
  }
}

/**
 * The records of one slice, from the bytes [byteFrom, byteTo) of its file, as they arrive. Yields every record of a
 * chunk before it asks for the next one. Throws `DamagedSliceError`, and what `bytes` throws.
 */
export async function* readSlice(
  slice: SliceToRead,
  bytes: AsyncIterable<Uint8Array> | Uint8Array,
  limits: Partial<RecordLimits> = {},
): AsyncGenerator<SliceRecord, void, undefined> {
  if (slice.format === 'csv' && slice.csvHeader === undefined) {
    throw new DamagedSliceError('A slice of a CSV file needs the header of the file.');
  }
  let found: SliceRecord[] = [];
  let problem: RecordProblem | undefined;
  const reader = createRecordReader({
    format: slice.format,
    slice,
    limits: { ...defaultRecordLimits, ...limits },
    onRecord({ index, line, value }) {
      if (value !== undefined) found.push({ index, line, value });
    },
    onProblem(first) {
      problem ??= first;
    },
  });

  for await (const chunk of bytes instanceof Uint8Array ? [bytes] : bytes) {
    reader.push(chunk);
    if (problem !== undefined) break;
    const complete = found;
    found = [];
    yield* complete;
  }
  reader.end();
  if (problem !== undefined) throw new DamagedSliceError(`The file changed: ${problem.message}`, problem);
  if (slice.count !== undefined && reader.records !== slice.count) {
    const message = `The file changed: expected ${slice.count} records from record ${slice.firstIndex} on, got ${reader.records}.`;
    throw new DamagedSliceError(message);
  }
  yield* found;
}
