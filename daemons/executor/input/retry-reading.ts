import { describeUnknownError } from '@jobber/shared/errors';
import { ClientError, Status } from 'nice-grpc';
import { createBackoff } from '../backoff.ts';

const ATTEMPTS = 5;
const PASSING: readonly Status[] = [
  Status.UNAVAILABLE,
  Status.DEADLINE_EXCEEDED,
  Status.ABORTED,
  Status.CANCELLED,
];

/** Jobs may be restarting while the lease is still ours: a few failures to reach it are no reason to give up. */
export async function retryReading<T>(
  read: () => Promise<T>,
  signal: AbortSignal,
  onProblem: (problem: string) => void,
): Promise<T> {
  const backoff = createBackoff({ minMs: 100, maxMs: 2_000 });
  for (let attempt = 1; ; attempt++) {
    try {
      return await read();
    } catch (error) {
      signal.throwIfAborted();
      if (attempt === ATTEMPTS || !isPassing(error)) throw error;
      onProblem(describeUnknownError(error));
      await backoff.wait(signal);
      signal.throwIfAborted();
    }
  }
}

function isPassing(error: unknown): boolean {
  if (error instanceof ClientError) return PASSING.includes(error.code);
  // The deadline of the call.
  return error instanceof Error && error.name === 'AbortError';
}
