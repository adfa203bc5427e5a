/** When to start again what ended by itself. */
export interface BackoffRule {
  readonly firstMs: number;
  readonly mostMs: number;
  /** What ran that long was healthy: counting starts anew. */
  readonly healthyAfterMs: number;
}

export const RESTART_BACKOFF: BackoffRule = { firstMs: 250, mostMs: 10_000, healthyAfterMs: 60_000 };

/** @returns a function that, told how long the last run lasted, gives the milliseconds to wait before the next one */
export function createBackoff(rule: BackoffRule = RESTART_BACKOFF): (ranMs: number) => number {
  let next = rule.firstMs;
  return (ranMs) => {
    if (ranMs >= rule.healthyAfterMs) next = rule.firstMs;
    const delay = next;
    next = Math.min(next * 2, rule.mostMs);
    return delay;
  };
}
