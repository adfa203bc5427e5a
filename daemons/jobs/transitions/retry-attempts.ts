import { createReturnTasks } from './return-tasks.ts';

/** How many attempts that count an item gets: as its job says, or else its type. */
export const MAX_ATTEMPTS = 'coalesce(locked.max_attempts, jt.max_attempts)';

/**
 * running → waiting, after an attempt whose handler failed, while the task has attempts left. Only its undecided items are
 * run again. Exponential backoff with jitter of a quarter: tasks that failed together come back apart.
 */
export const retryAttempts = createReturnTasks({
  name: 'retry-attempts',
  event: 'retried',
  to: 'waiting',
  counter: 'failures',
  limit: MAX_ATTEMPTS,
  waitMs: `least(coalesce(locked.backoff_ms, jt.backoff_ms) * power(2, failures), greatest(jt.max_backoff_ms, coalesce(locked.backoff_ms, 0)))
    * (0.75 + random() * 0.5)`,
  told: null,
});
