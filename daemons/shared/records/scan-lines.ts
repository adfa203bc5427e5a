import type { RecordScanner } from './record-scanner.ts';

const carriageReturn = 0x0d;
const lineFeed = 0x0a;

/**
 * NDJSON: a record is a line (LF or CRLF) from its first byte that is no space; lines of nothing but spaces and tabs
 * are no records.
 */
export function createLineScanner(firstLine: number): RecordScanner {
  let start = 0;
  let line = firstLine;

  function endLine(bytes: Buffer, at: number, spans: number[]): void {
    const end = at > start && bytes[at - 1] === carriageReturn ? at - 1 : at;
    if (end > start) spans.push(start, end, line);
  }

  return {
    stop: undefined,
    get line() {
      return line;
    },
    scan(bytes, from, to, spans) {
      let searched = from;
      for (;;) {
        // Space before a record is passed at once, so that it is neither held nor counted as its bytes.
        while (start < to && isSpace(bytes[start])) start++;
        const lineEnd = bytes.indexOf(lineFeed, Math.max(start, searched));
        if (lineEnd < 0 || lineEnd >= to) return start;
        endLine(bytes, lineEnd, spans);
        start = searched = lineEnd + 1;
        line++;
      }
    },
    end(bytes, to, spans) {
      endLine(bytes, to, spans);
      start = to;
    },
    moved(by) {
      start -= by;
    },
  };
}

function isSpace(c: number | undefined): boolean {
  return c === 0x20 || c === 0x09 || c === carriageReturn;
}
