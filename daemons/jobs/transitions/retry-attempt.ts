import type { Pool } from 'pg';
import { type ReturnedTask, returnToReady, type UnfinishedAttempt, type WayBack } from './return-to-ready.ts';

/** Exponential backoff with jitter: tasks that failed together come back apart. */
const RETRY: WayBack = {
  name: 'retry-attempt',
  counter: 'failures',
  limit: 'jt.max_attempts',
  waitMs: 'least(jt.backoff_ms * power(2, failures), jt.max_backoff_ms) * (0.75 + random() * 0.5)',
};

/**
 * running → ready, later, after an attempt whose handler failed, while the task has attempts left.
 * @returns undefined when superseded or when no attempts are left.
 */
export function retryAttempt(pool: Pool, attempt: UnfinishedAttempt): Promise<ReturnedTask | undefined> {
  return returnToReady(pool, attempt, RETRY);
}
