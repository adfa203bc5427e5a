import { isUtf8 } from 'node:buffer';
import { appendToWindow, createByteWindow, dropFromWindow } from './byte-window.ts';
import { findInvalidUtf8 } from './find-invalid-utf8.ts';
import { type CsvRow, checkCsvHeader, parseCsvRow, parseCsvRows } from './parse-csv-rows.ts';
import { type Reading, readCsvRecord, readJsonRecord } from './read-record.ts';
import type { RecordFormat, RecordLimits } from './record-limits.ts';
import { type Complaint, problemOfFile, problemOfRecord, type RecordProblem } from './record-problem.ts';
import type { RecordScanner, Spans } from './record-scanner.ts';
import { createCsvRowScanner } from './scan-csv-rows.ts';
import { createJsonArrayScanner } from './scan-json-array.ts';
import { createLineScanner } from './scan-lines.ts';

/** A record as it stands in the file; `value` is undefined when the record was refused. */
export interface ReadRecord {
  index: number;
  line: number;
  /** Offsets in the stream that is read, end exclusive. */
  byteFrom: number;
  byteTo: number;
  value: Record<string, unknown> | undefined;
}

export interface RecordReaderOptions {
  format: RecordFormat;
  /** Absent for a whole file; for a slice of one, where its first record stood (and the header of its CSV). */
  slice?: { firstIndex: number; line: number; csvHeader?: readonly string[] };
  limits: RecordLimits;
  onRecord(record: ReadRecord): void;
  onProblem(problem: RecordProblem): void;
}

export interface RecordReader {
  push(chunk: Uint8Array): void;
  end(): void;
  /** Records seen, refused ones included. */
  readonly records: number;
  readonly csvHeader: readonly string[] | undefined;
  /** Set after a problem behind which nothing can be read; further chunks are dropped. */
  readonly stopped: boolean;
}

/** Chunks are looked at in pieces of this size, so that one of gigabytes needs no second copy of itself. */
const pieceBytes = 64 * 1024;

const carriageReturn = 0x0d;
const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf]);

/**
 * Reads records out of a stream of bytes, synchronously and in memory that does not grow with the stream: at most
 * `maxRecordBytes` and a piece are held. The one reader of uploads and of slices, so that both see the same records.
 */
export function createRecordReader(options: RecordReaderOptions): RecordReader {
  const { format, slice, limits, onRecord, onProblem } = options;
  const window = createByteWindow();
  const scanner = createScanner(format, slice?.line ?? 1, slice !== undefined);
  const firstIndex = slice?.firstIndex ?? 0;
  let index = firstIndex;
  let csvHeader = slice?.csvHeader;
  let scanned = 0;
  let atStart = slice === undefined;
  let stopped = false;

  /** The file makes no sense from here on. */
  function stopFile(line: number, complaint: Complaint): void {
    stopped = true;
    onProblem(problemOfFile(index, line, complaint));
  }

  /** This record makes no sense, and where the next one begins cannot be told. */
  function stopRecord(line: number, complaint: Complaint): void {
    stopped = true;
    onProblem(problemOfRecord(index, line, complaint));
  }

  function pushPiece(piece: Uint8Array): void {
    appendToWindow(window, piece);
    if (!passByteOrderMark()) return;
    const spans: Spans = [];
    const needed = scanner.scan(window.bytes, scanned, window.length, spans);
    scanned = window.length;
    readSpans(spans);
    if (stopped) return;
    if (scanner.stop !== undefined) {
      stopFile(scanner.stop.line, scanner.stop);
    } else if (unfinishedBytes(needed) > limits.maxRecordBytes) {
      refuseLong(needed, scanner.line);
    } else {
      dropFromWindow(window, needed);
      scanner.moved(needed);
      scanned -= needed;
    }
  }

  /** A byte order mark is no part of the first record. False while more bytes have to tell. */
  function passByteOrderMark(): boolean {
    if (!atStart) return true;
    const head = window.bytes.subarray(0, Math.min(window.length, byteOrderMark.length));
    const matches = head.equals(byteOrderMark.subarray(0, head.length));
    if (matches && head.length < byteOrderMark.length) return false;
    if (matches) dropFromWindow(window, byteOrderMark.length);
    atStart = false;
    return true;
  }

  /** Parses the records that ended: [start, end, line] of each. */
  function readSpans(spans: Spans): void {
    if (spans.length === 0) return;
    const run = window.bytes.subarray(spans[0], spans[spans.length - 2]);
    const readable = isUtf8(run);
    // Many rows at once are read much faster. Where the parser refuses or sees other rows than the scanner, the run
    // is not RFC 4180, and each row alone tells which.
    const rows = format === 'csv' && readable ? parseCsvRows(run) : undefined;
    const together = rows?.length === spans.length / 3 ? rows : undefined;
    for (let i = 0; i < spans.length && !stopped; i += 3) {
      const from = spans[i] as number;
      const to = spans[i + 1] as number;
      const line = spans[i + 2] as number;
      if (to - from > limits.maxRecordBytes) {
        refuseLong(from, line);
      } else if (!readable && !isUtf8(window.bytes.subarray(from, to))) {
        refuseEncoding(from, to, line);
      } else if (format === 'csv') {
        const fields = together?.[i / 3];
        readRow(
          fields === undefined ? parseCsvRow(window.bytes.subarray(from, to)) : { ok: true, fields },
          from,
          to,
          line,
        );
      } else {
        take(readJsonRecord(window.bytes.toString('utf8', from, to), limits), from, to, line);
      }
    }
  }

  function readRow(row: CsvRow, from: number, to: number, line: number): void {
    if (csvHeader !== undefined) {
      take(readCsvRecord(row, csvHeader), from, to, line);
      return;
    }
    const complaint = row.ok ? checkCsvHeader(row.fields) : row.complaint;
    if (complaint !== undefined) stopFile(line, complaint);
    else if (row.ok) csvHeader = row.fields;
  }

  function take(reading: Reading, from: number, to: number, line: number): void {
    if (!reading.ok) {
      onProblem(problemOfRecord(index, line + reading.linesDown, reading.complaint));
      // A line ends where it ends; the elements of an array are told apart by brackets and quotes alone.
      if (reading.broken && format === 'json') stopped = true;
    }
    const value = reading.ok ? reading.value : undefined;
    onRecord({ index, line, byteFrom: window.offset + from, byteTo: window.offset + to, value });
    index++;
  }

  function refuseEncoding(from: number, to: number, line: number): void {
    const found = findInvalidUtf8(window.bytes.subarray(from, to));
    const hex = (found?.byte ?? 0).toString(16).toUpperCase().padStart(2, '0');
    const got = `the byte 0x${hex} (Latin-1 or another encoding)`;
    stopFile(line + (found?.linesDown ?? 0), { expected: 'UTF-8 text', got });
  }

  /** A carriage return at the end may turn out to belong to the line's end. */
  function unfinishedBytes(from: number): number {
    const length = window.length - from;
    return length > 0 && window.bytes[window.length - 1] === carriageReturn ? length - 1 : length;
  }

  function refuseLong(from: number, line: number): void {
    const complaint = { expected: `a record of at most ${limits.maxRecordBytes} bytes`, got: 'a longer one' };
    refuseUnfinished(from, from + limits.maxRecordBytes, line, complaint);
  }

  /** No end was found for the record at `from`: says why when its text up to `to` tells, else the `complaint`. */
  function refuseUnfinished(from: number, to: number, line: number, complaint: Complaint): void {
    if (format === 'json') {
      const reading = readJsonRecord(window.bytes.toString('utf8', from, to), limits);
      if (!reading.ok && reading.broken && reading.complaint.got !== 'the end of the text') {
        stopRecord(line + reading.linesDown, reading.complaint);
        return;
      }
    }
    stopRecord(line, complaint);
  }

  function finish(): void {
    const spans: Spans = [];
    // Up to two bytes that might have become a byte order mark are not looked at yet.
    if (scanned < window.length) scanner.scan(window.bytes, scanned, window.length, spans);
    scanned = window.length;
    scanner.end(window.bytes, window.length, spans);
    readSpans(spans);
    if (stopped) return;
    if (scanner.stop !== undefined) {
      if (window.length > 0) refuseUnfinished(0, window.length, scanner.stop.line, scanner.stop);
      else stopFile(scanner.stop.line, scanner.stop);
    } else if (slice === undefined && index === 0) {
      stopFile(scanner.line, nameEmptiness(format, csvHeader !== undefined));
    }
  }

  return {
    get records() {
      return index - firstIndex;
    },
    get csvHeader() {
      return csvHeader;
    },
    get stopped() {
      return stopped;
    },
    push(chunk) {
      for (let at = 0; at < chunk.length && !stopped; at += pieceBytes) {
        pushPiece(chunk.subarray(at, at + pieceBytes));
      }
    },
    end() {
      if (!stopped) finish();
    },
  };
}

function createScanner(format: RecordFormat, line: number, inSlice: boolean): RecordScanner {
  if (format === 'json') return createJsonArrayScanner(line, inSlice);
  return format === 'csv' ? createCsvRowScanner(line) : createLineScanner(line);
}

function nameEmptiness(format: RecordFormat, header: boolean): Complaint {
  if (format === 'json') return { expected: 'at least one record', got: 'an empty array' };
  if (format === 'ndjson') return { expected: 'at least one record', got: 'an empty file' };
  if (header) return { expected: 'at least one row after the header', got: 'the end of the file' };
  return { expected: 'a header and rows', got: 'an empty file' };
}
