import { closeSync, constants, copyFileSync, fstatSync, openSync, readSync, truncateSync } from 'node:fs';
import { explainFileError } from './postgres-error.ts';

const LOOK_EVERY_MS = 500;
const MOST_BYTES = 10 * 1024 * 1024;

/** The file that the server writes to by itself, so that nothing is lost when our process is. */
export interface ServerLog {
  /** To be handed to the server as its stderr: it needs no right to the folder. */
  readonly fd: number;
  /** What the server wrote since this log was opened. At most `limit` bytes from the start. */
  readSinceOpened(limit?: number): string;
  close(): void;
}

/**
 * Opens (appends to) the server's log. When it grows over 10 MB it is moved to `<file>.1`: at most 20 MB are kept.
 * @param onLine gets each line that the server writes from now on, at most half a second late
 */
export function openServerLog(file: string, onLine?: (line: string) => void): ServerLog {
  let fd: number;
  try {
    fd = openSync(file, constants.O_RDWR | constants.O_APPEND | constants.O_CREAT, 0o600);
  } catch (error) {
    throw explainFileError(error, file);
  }
  const opened = fstatSync(fd).size;
  let seen = opened;
  let rest = '';
  let closed = false;

  function look(): void {
    const { size } = fstatSync(fd);
    if (onLine && size > seen) {
      const lines = (rest + readFrom(fd, seen, size - seen)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line) onLine(line);
    }
    seen = size;
    if (size > MOST_BYTES) {
      // The server keeps the file open for appending: it is copied and emptied, not renamed.
      copyFileSync(file, `${file}.1`);
      truncateSync(file);
      seen = 0;
    }
  }
  // A log that cannot be read or turned over must not bring down anything.
  const timer = setInterval(() => attempt(look), LOOK_EVERY_MS).unref();

  return {
    fd,
    readSinceOpened: (limit = 64 * 1024) =>
      readFrom(fd, opened, Math.min(limit, fstatSync(fd).size - opened)),
    close() {
      if (closed) return;
      closed = true;
      clearInterval(timer);
      attempt(look);
      closeSync(fd);
    },
  };
}

function readFrom(fd: number, position: number, length: number): string {
  if (length <= 0) return '';
  const bytes = Buffer.alloc(length);
  return bytes.toString('utf8', 0, readSync(fd, bytes, 0, length, position));
}

function attempt(action: () => void): void {
  try {
    action();
  } catch {
    // Tried again at the next look.
  }
}
