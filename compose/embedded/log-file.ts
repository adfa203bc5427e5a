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

/**
 * A file that another process appends its output to, and that is read as it grows. Once it is open nothing fails: a
 * full disk must not bring down what runs. What cannot be written then is lost, what cannot be read or turned over
 * is tried again at the next look.
 */
export interface LogFile {
  /** To be handed to the process as its output. */
  readonly fd: number;
  append(line: string): void;
  /** Whole lines that have come since the last call. */
  readNewLines(): string[];
  close(): void;
}

/**
 * Opens (appends to) a log. When it grows over 10 MB it is moved to `<file>.1`: at most 20 MB are kept.
 * @throws the system's error when it cannot be opened
 */
export function openLogFile(file: string): LogFile {
  const fd = openSync(file, constants.O_RDWR | constants.O_APPEND | constants.O_CREAT, 0o600);
  const decoder = new StringDecoder('utf8');
  let seen = fstatSync(fd).size;
  let rest = '';

  function readNewText(): string {
    let text = '';
    const { size } = fstatSync(fd);
    // Somebody else has emptied it.
    if (size < seen) seen = 0;
    while (seen < size) {
      const bytes = Buffer.allocUnsafe(Math.min(size - seen, MOST_BYTES_A_READ));
      const count = readSync(fd, bytes, 0, bytes.length, seen);
      if (count === 0) break;
      seen += count;
      text += decoder.write(bytes.subarray(0, count));
    }
    return text;
  }

  /** Whoever writes keeps the file open for appending: it is copied and emptied, not renamed. */
  function turnOver(): void {
    copyFileSync(file, `${file}.1`);
    ftruncateSync(fd);
    seen = 0;
  }

  return {
    fd,
    append(line) {
      attempt(() => writeSync(fd, `${line}\n`));
    },
    readNewLines() {
      const lines = (rest + (attempt(readNewText) ?? '')).split('\n');
      rest = lines.pop() ?? '';
      if (seen > MOST_BYTES) attempt(turnOver);
      return lines.filter((line) => line !== '');
    },
    close: () => closeSync(fd),
  };
}

function attempt<Result>(action: () => Result): Result | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}
