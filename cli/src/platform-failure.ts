import { EXIT, Failure } from './failure.ts';

/** What cannot be used as it is named, rather than does not run. */
const USAGE_REASONS = new Set(['folder-unusable', 'folder-not-writable', 'folder-not-ours', 'migration']);

/** Runs work on the embedded platform. @throws a Failure in place of what the platform throws for people */
export async function withPlatformErrors<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { PlatformError, PostgresError } = await import('@jobber/compose/backup');
    if (!(error instanceof PlatformError || error instanceof PostgresError)) throw error;
    const exitCode = USAGE_REASONS.has(error.reason) ? EXIT.usage : EXIT.unavailable;
    const reason = error.reason.replaceAll('-', '_').toUpperCase();
    throw new Failure(error.message.replace(/\.$/, ''), { exitCode, reason, cause: error });
  }
}
