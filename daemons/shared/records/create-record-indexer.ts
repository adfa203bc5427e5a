import { createRecordReader } from './create-record-reader.ts';
import { defaultRecordLimits, type RecordFormat, type RecordLimits } from './record-limits.ts';
import type { RecordProblem } from './record-problem.ts';
import { createSliceIndex, type RecordSlice } from './slice-index.ts';

export interface RecordIndex {
  /** True when the whole file was read and nothing was wrong with it. Only then are the slices of use. */
  ok: boolean;
  records: number;
  /** Bytes of the file. */
  bytes: number;
  slices: RecordSlice[];
  /** The column names of a CSV, which its slices are read with. */
  csvHeader?: readonly string[];
  /** The first problems (`maxProblems` of them), in the order of the file. */
  problems: RecordProblem[];
  /** How many problems there are in all, as far as the file could be read. */
  problemCount: number;
  /** True when a problem left the rest of the file unread. */
  stopped: boolean;
}

export interface RecordIndexer {
  /** Takes the next bytes of the file, in chunks of any size. The chunk is not kept. */
  push(chunk: Uint8Array): void;
  /** The file has ended. */
  end(): RecordIndex;
  /** Records seen so far. */
  readonly records: number;
  /** True when further chunks cannot change the outcome: an upload may be cut off here. */
  readonly stopped: boolean;
}

/**
 * Reads a file of records while it streams by: checks the syntax of every record, counts them, and notes which bytes
 * hold which. Synchronous and free of timers and of the event loop, so it may run in a worker thread.
 */
export function createRecordIndexer(options: {
  format: RecordFormat;
  limits?: Partial<RecordLimits>;
}): RecordIndexer {
  const limits = { ...defaultRecordLimits, ...options.limits };
  const slices = createSliceIndex(limits);
  const problems: RecordProblem[] = [];
  let problemCount = 0;
  let bytes = 0;

  const reader = createRecordReader({
    format: options.format,
    limits,
    onRecord: (record) => slices.add(record),
    onProblem(problem) {
      problemCount++;
      if (problems.length < limits.maxProblems) problems.push(problem);
    },
  });

  return {
    push(chunk) {
      bytes += chunk.length;
      reader.push(chunk);
    },
    end() {
      reader.end();
      const { records, csvHeader, stopped } = reader;
      return {
        ok: problemCount === 0,
        records,
        bytes,
        slices: slices.finish(),
        ...(csvHeader === undefined ? {} : { csvHeader }),
        problems,
        problemCount,
        stopped,
      };
    },
    get records() {
      return reader.records;
    },
    get stopped() {
      return reader.stopped;
    },
  };
}
