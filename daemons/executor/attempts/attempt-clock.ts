import type { Attempt } from './attempt.ts';

/** Measures a handler, and ends its attempt when its time is over. */
export interface AttemptClock {
  start(): void;
  stop(): void;
  /** Whole milliseconds since the start; 0 before. */
  elapsedMs(): number;
}

export function createAttemptClock(attempt: Attempt): AttemptClock {
  let startedAt: number | undefined;
  let timer: NodeJS.Timeout | undefined;
  return {
    start() {
      startedAt = performance.now();
      timer = setTimeout(() => attempt.abort('timeout'), Math.min(attempt.task.timeoutMs, 2 ** 31 - 1));
    },
    stop: () => clearTimeout(timer),
    elapsedMs: () => (startedAt === undefined ? 0 : Math.round(performance.now() - startedAt)),
  };
}
