import { readFileSync } from 'node:fs';
import { PlatformError } from '../platform/platform-error.ts';
import { explainFileError, PostgresError } from '../postgres/index.ts';

export interface RestoreAttempt {
  readonly source: string;
  readonly dataDir: string;
  /** Of the PostgreSQL that was started for this restore, and only of it. */
  readonly serverLog: string;
}

const DISK_FULL = '53100';
const NO_ROOM = /No space left on device|Disk quota exceeded|wrote only \d+ of \d+ bytes/;

/** Turns what ended a restore into one sentence; what was told already is returned as it came. */
export function explainRestoreError(error: unknown, { source, dataDir, serverLog }: RestoreAttempt): unknown {
  if (error instanceof PlatformError || error instanceof PostgresError) return error;
  const { code, path } = error as { code?: string; path?: string };
  // A server that has no room for its log of changes ends, and its clients learn only that it has.
  if (code === DISK_FULL || NO_ROOM.test(readLog(serverLog))) {
    const room = 'make room there, or name a folder elsewhere with --data-dir';
    return new PostgresError('disk-full', `The disk that holds ${dataDir} is full: ${room}.`, {
      cause: error,
    });
  }
  if (code === 'ENOENT' && path?.startsWith(source))
    return new PlatformError(
      'folder-unusable',
      `The backup in ${source} is damaged: its file ${path} is missing.`,
      { cause: error },
    );
  return explainFileError(error, dataDir);
}

/**
 * Whether a database could not be filled because of what the backup holds: not when the server ended or lacked something,
 * and not when a file that is there could not be read.
 */
export async function isDamage(error: unknown): Promise<boolean> {
  if ((error as NodeJS.ErrnoException).syscall !== undefined) return false;
  const { isDatabaseUnavailable } = await import('@jobber/db/connection');
  return !isDatabaseUnavailable(error);
}

function readLog(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // The server was not started yet.
    return '';
  }
}
