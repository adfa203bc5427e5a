import { describeUnknownError } from '@jobber/shared/errors';
import { createBackoff } from '../backoff.ts';
import { isPeerAway } from '../services/is-peer-away.ts';

const ATTEMPTS = 5;

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
      if (attempt === ATTEMPTS || !isPeerAway(error)) throw error;
      onProblem(describeUnknownError(error));
      await backoff.wait(signal);
      signal.throwIfAborted();
    }
  }
}
