import {
  closeSync,
  constants,
  copyFileSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs';
import { StringDecoder } from 'node:string_decoder';

const MOST_BYTES = 10 * 1024 * 1024;
const MOST_BYTES_A_READ = 1024 * 1024;

/** A file that a daemon appends its output to, and that is read as it grows. */
export interface LogFile {
  /** To be handed to the daemon as its output. */
  readonly fd: number;
  append(line: string): void;
  /** Whole lines that have come since the last call. */
  readNewLines(): string[];
  close(): void;
}

/** Opens (appends to) a log. When it grows over 10 MB it is moved to `<file>.1`: at most 20 MB are kept. */
export function openLogFile(file: string): LogFile {
  const fd = openSync(file, constants.O_RDWR | constants.O_APPEND | constants.O_CREAT, 0o600);
  const decoder = new StringDecoder('utf8');
  let seen = fstatSync(fd).size;
  let rest = '';

  function readNewText(): string {
    let text = '';
    const size = fstatSync(fd).size;
    while (seen < size) {
      const bytes = Buffer.allocUnsafe(Math.min(size - seen, MOST_BYTES_A_READ));
      const count = readSync(fd, bytes, 0, bytes.length, seen);
      if (count === 0) break;
      seen += count;
      text += decoder.write(bytes.subarray(0, count));
    }
    return text;
  }

  return {
    fd,
    append(line) {
      writeSync(fd, `${line}\n`);
    },
    readNewLines() {
      const text = readNewText();
      if (text === '') return [];
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      if (seen > MOST_BYTES) {
        // The daemon keeps the file open for appending: it is copied and emptied, not renamed.
        copyFileSync(file, `${file}.1`);
        ftruncateSync(fd);
        seen = 0;
      }
      return lines.filter((line) => line !== '');
    },
    close: () => closeSync(fd),
  };
}
