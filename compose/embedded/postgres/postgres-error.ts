/** Why PostgreSQL could not be started or used; stable, for callers that act on it. */
export type PostgresErrorReason =
  | 'no-binaries'
  | 'binaries-unusable'
  | 'user-switch-refused'
  | 'folder-in-use'
  | 'folder-not-writable'
  | 'folder-not-ours'
  | 'no-user-entry'
  | 'disk-full'
  | 'port-taken'
  | 'password-missing'
  | 'start-failed';

/** One sentence for people in `message`; it holds no secret. */
export class PostgresError extends Error {
  readonly reason: PostgresErrorReason;

  constructor(reason: PostgresErrorReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'PostgresError';
    this.reason = reason;
  }
}

/** Turns a refused file operation on `path` into one sentence; anything else is returned as it came. */
export function explainFileError(error: unknown, path: string): unknown {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    const why = code === 'EROFS' ? 'the file system is read-only' : 'permission denied';
    return new PostgresError('folder-not-writable', `Cannot write to ${path}: ${why}.`, { cause: error });
  }
  if (code === 'ENOTDIR' || code === 'EEXIST') {
    return new PostgresError('folder-not-ours', `Cannot use ${path}: a part of this path is not a folder.`, {
      cause: error,
    });
  }
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new PostgresError('disk-full', `The disk that holds ${path} is full.`, { cause: error });
  }
  return error;
}

/**
 * Turns what initdb or the server wrote before it gave up into one sentence.
 * @param wrote its output of this start only
 * @param logFile where the reader finds the rest
 */
export function explainServerOutput(
  wrote: string,
  about: { doing: string; folder: string; port?: number; logFile: string },
): PostgresError {
  const see = `The log is ${about.logFile}.`;
  if (/No space left on device|Disk quota exceeded|wrote only \d+ of \d+ bytes/.test(wrote)) {
    return new PostgresError('disk-full', `The disk that holds ${about.folder} is full. ${see}`);
  }
  if (/Address already in use/.test(wrote)) {
    return new PostgresError('port-taken', `Port ${about.port} is taken by another program. ${see}`);
  }
  const missing = /could not look up effective user ID (\d+)/.exec(wrote);
  if (missing) {
    return new PostgresError(
      'no-user-entry',
      `User id ${missing[1]} has no entry in /etc/passwd, and PostgreSQL needs one to create ${about.folder}: ` +
        'add a line for it or run as a user that has one.',
    );
  }
  const lines = wrote.split('\n').map((line) => line.trim());
  const telling =
    lines.find((line) => /\b(FATAL|PANIC):|error:|error while loading/.test(line)) ?? lines.at(-1);
  const said = telling ? `: ${telling.replace(/^.*?\b(?:FATAL|PANIC|error): */, '')}` : '';
  return new PostgresError('start-failed', `${about.doing} failed${said.replace(/\.$/, '')}. ${see}`);
}
