import { fstatSync, readSync } from 'node:fs';
import { type LogFile, openLogFile } from '../log-file.ts';
import { explainFileError } from './postgres-error.ts';

const LOOK_EVERY_MS = 500;

/** The file that the server writes to by itself, so that nothing is lost when our process is. */
export interface ServerLog {
  /** To be handed to the server as its stderr: it needs no right to the folder. */
  readonly fd: number;
  /** What the server wrote since this log was opened. At most `limit` bytes from the start. */
  readSinceOpened(limit?: number): string;
  close(): void;
}

/**
 * Opens (appends to) the server's log, of which at most 20 MB are kept.
 * @param onLine gets each line that the server writes from now on, at most half a second late
 * @throws PostgresError when it cannot be opened
 */
export function openServerLog(file: string, onLine: (line: string) => void = () => {}): ServerLog {
  const log = open(file);
  const { fd } = log;
  const opened = fstatSync(fd).size;
  let closed = false;

  function look(): void {
    for (const line of log.readNewLines()) onLine(line);
  }
  const timer = setInterval(look, LOOK_EVERY_MS).unref();

  return {
    fd,
    readSinceOpened(limit = 64 * 1024) {
      const bytes = Buffer.alloc(Math.max(0, Math.min(limit, fstatSync(fd).size - opened)));
      return bytes.toString('utf8', 0, readSync(fd, bytes, 0, bytes.length, opened));
    },
    close() {
      if (closed) return;
      closed = true;
      clearInterval(timer);
      look();
      log.close();
    },
  };
}

function open(file: string): LogFile {
  try {
    return openLogFile(file);
  } catch (error) {
    throw explainFileError(error, file);
  }
}
