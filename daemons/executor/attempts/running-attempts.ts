import type { AttemptRef } from '@jobber/proto/jobs/v1/jobs';
import type { Attempt } from './attempt.ts';

/** The attempts of this executor, from their delivery until their outcome is stored. */
export interface RunningAttempts extends Iterable<Attempt> {
  readonly size: number;
  ofJob(jobId: number): Attempt[];
  /** False when this very attempt is running already. */
  add(attempt: Attempt): boolean;
  remove(attempt: Attempt): void;
  /** Resolves when none is left. */
  untilNone(): Promise<void>;
}

export function createRunningAttempts(): RunningAttempts {
  const attempts = new Map<string, Attempt>();
  let waiting: (() => void)[] = [];

  return {
    get size() {
      return attempts.size;
    },
    [Symbol.iterator]: () => attempts.values(),
    ofJob: (jobId) => [...attempts.values()].filter(({ ref }) => ref.jobId === jobId),
    add(attempt) {
      const key = keyOf(attempt.ref);
      if (attempts.has(key)) return false;
      attempts.set(key, attempt);
      return true;
    },
    remove({ ref }) {
      attempts.delete(keyOf(ref));
      if (attempts.size > 0) return;
      for (const wake of waiting) wake();
      waiting = [];
    },
    async untilNone() {
      if (attempts.size > 0) await new Promise<void>((resolve) => waiting.push(resolve));
    },
  };
}

function keyOf({ jobId, seq, attempt }: AttemptRef): string {
  return `${jobId}/${seq}/${attempt}`;
}
