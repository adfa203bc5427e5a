import type { RecordScanner } from './record-scanner.ts';

const lineFeed = 0x0a;

/** NDJSON: a record is a line (LF or CRLF); lines of nothing but spaces and tabs are no records. */
export function createLineScanner(firstLine: number): RecordScanner {
  let start = 0;
  let line = firstLine;

  return {
    stop: undefined,
    get line() {
      return line;
    },
    scan(bytes, from, to, spans) {
      let searched = from;
      for (;;) {
        const lineEnd = bytes.indexOf(lineFeed, searched);
        if (lineEnd < 0 || lineEnd >= to) return start;
        if (!isBlank(bytes, start, lineEnd)) spans.push(start, lineEnd, line);
        start = searched = lineEnd + 1;
        line++;
      }
    },
    end(bytes, to, spans) {
      if (!isBlank(bytes, start, to)) spans.push(start, to, line);
      start = to;
    },
    moved(by) {
      start -= by;
    },
  };
}

function isBlank(bytes: Buffer, from: number, to: number): boolean {
  for (let i = from; i < to; i++) {
    const c = bytes[i];
    if (c !== 0x20 && c !== 0x09 && c !== 0x0d) return false;
  }
  return true;
}
