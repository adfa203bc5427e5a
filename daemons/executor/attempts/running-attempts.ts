import type { AttemptRef } from '@jobber/proto/jobs/v1/jobs';
import type { Attempt } from './attempt.ts';

/** The attempts of this executor, from their delivery until their outcome is stored. */
export interface RunningAttempts extends Iterable<Attempt> {
  readonly size: number;
  /** Aborts all attempts of a job that was cancelled, also those that arrive after the word of it. */
  cancelJob(jobId: number): void;
  /** False when this very attempt is running already. */
  add(attempt: Attempt): boolean;
  remove(attempt: Attempt): void;
  /** Resolves when none of these is left, or the signal is aborted. */
  untilGone(attempts: Iterable<Attempt>, signal?: AbortSignal): Promise<void>;
}

/** Cancelled jobs that are remembered: their tasks may be on their way here for a moment. */
const MAX_CANCELLED = 1_000;

export function createRunningAttempts(): RunningAttempts {
  const attempts = new Map<string, Attempt>();
  /** A cancelled job stays cancelled. */
  const cancelled = new Set<number>();
  const waiting = new Set<{ readonly left: Set<Attempt>; readonly end: () => void }>();

  return {
    get size() {
      return attempts.size;
    },
    [Symbol.iterator]: () => attempts.values(),
    cancelJob(jobId) {
      cancelled.add(jobId);
      if (cancelled.size > MAX_CANCELLED)
        for (const oldest of cancelled.values().take(1)) cancelled.delete(oldest);
      for (const attempt of attempts.values()) if (attempt.ref.jobId === jobId) attempt.abort('cancelled');
    },
    add(attempt) {
      const key = keyOf(attempt.ref);
      if (attempts.has(key)) return false;
      attempts.set(key, attempt);
      if (cancelled.has(attempt.ref.jobId)) attempt.abort('cancelled');
      return true;
    },
    remove(attempt) {
      attempts.delete(keyOf(attempt.ref));
      for (const { left, end } of waiting) if (left.delete(attempt) && left.size === 0) end();
    },
    async untilGone(those, signal) {
      const left = new Set([...those].filter(({ ref }) => attempts.has(keyOf(ref))));
      if (left.size === 0 || signal?.aborted) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      const end = () => resolve();
      const waiter = { left, end };
      signal?.addEventListener('abort', end, { once: true });
      waiting.add(waiter);
      await promise;
      waiting.delete(waiter);
      signal?.removeEventListener('abort', end);
    },
  };
}

function keyOf({ jobId, seq, attempt }: AttemptRef): string {
  return `${jobId}/${seq}/${attempt}`;
}
