import type { RecordScanner, ScanStop } from './record-scanner.ts';

const quote = 0x22;
const comma = 0x2c;
const carriageReturn = 0x0d;
const lineFeed = 0x0a;

type Place = 'field start' | 'plain' | 'quoted' | 'after quote';

/**
 * CSV as in RFC 4180: a row ends at LF or CRLF outside quotes; empty lines are no rows. A quote opens a quoted field
 * only where a field starts, so that a stray one elsewhere spoils its own row only.
 */
export function createCsvRowScanner(firstLine: number): RecordScanner {
  let start = 0;
  let line = firstLine;
  let rowLine = firstLine;
  let quoteLine = firstLine;
  let place: Place = 'field start';
  let stop: ScanStop | undefined;

  function endRow(bytes: Buffer, at: number, spans: number[]): void {
    const end = at > start && bytes[at - 1] === carriageReturn ? at - 1 : at;
    if (end > start) spans.push(start, end, rowLine);
  }

  return {
    get stop() {
      return stop;
    },
    get line() {
      return rowLine;
    },
    scan(bytes, from, to, spans) {
      for (let i = from; i < to; i++) {
        const c = bytes[i];
        if (place === 'quoted') {
          // Most of a file of texts is inside quotes: the tight loop.
          for (; i < to; i++) {
            const inside = bytes[i];
            if (inside === quote) {
              place = 'after quote';
              break;
            }
            if (inside === lineFeed) line++;
          }
        } else if (c === lineFeed) {
          endRow(bytes, i, spans);
          start = i + 1;
          rowLine = ++line;
          place = 'field start';
        } else if (c === comma) {
          place = 'field start';
        } else if (c !== quote) {
          place = 'plain';
        } else if (place === 'field start') {
          place = 'quoted';
          quoteLine = line;
        } else if (place === 'after quote') {
          place = 'quoted';
        }
      }
      return start;
    },
    end(bytes, to, spans) {
      if (place === 'quoted') {
        const expected = 'a closing quote for the field whose quote opens here';
        stop = { line: quoteLine, expected, got: 'the end of the file' };
      } else {
        endRow(bytes, to, spans);
      }
      start = to;
    },
    moved(by) {
      start -= by;
    },
  };
}
