import type { Complaint } from './record-problem.ts';

/** Where the records found by one call of `scan` stand: start, end (exclusive) in the window, line of the start, repeated. */
export type Spans = number[];

/** A place at which a file stops making sense; nothing after it can be read. */
export interface ScanStop extends Complaint {
  line: number;
}

/**
 * Finds where records begin and end in one format, byte by byte across any chunks, without understanding them: it
 * may be lenient inside a record, which is then parsed strictly.
 */
export interface RecordScanner {
  /**
   * Looks at bytes[from, to), appends the records that ended there to `spans` and tells from where on the bytes are
   * needed again (the start of an unfinished record, or `to`).
   */
  scan(bytes: Buffer, from: number, to: number, spans: Spans): number;
  /** The stream ends at `to`; `from` as for `scan`. A record that ends with the stream is appended to `spans`. */
  end(bytes: Buffer, to: number, spans: Spans): void;
  /** Tells that the window dropped its first bytes. */
  moved(by: number): void;
  /** Set once the file stopped making sense. */
  readonly stop: ScanStop | undefined;
  /** The line at which the unfinished record began, or the line reached. */
  readonly line: number;
}
