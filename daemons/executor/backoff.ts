import { setTimeout as delay } from 'node:timers/promises';

export interface BackoffLimits {
  /** The first wait is between half of this and this, in milliseconds. */
  readonly minMs: number;
  readonly maxMs: number;
}

export interface Backoff {
  /** Waits twice as long as the last time, give or take, so that many who failed together do not come back together. */
  wait(signal?: AbortSignal): Promise<void>;
  reset(): void;
}

export function createBackoff({ minMs, maxMs }: BackoffLimits): Backoff {
  let nextMs = minMs;
  return {
    async wait(signal) {
      const ms = nextMs * (0.5 + Math.random() / 2);
      nextMs = Math.min(nextMs * 2, maxMs);
      // An abort ends the wait; whoever aborted knows what comes next.
      await delay(ms, undefined, signal && { signal }).catch(() => {});
    },
    reset() {
      nextMs = minMs;
    },
  };
}
