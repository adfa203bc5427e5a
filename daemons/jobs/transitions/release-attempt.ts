import type { Pool } from 'pg';
import { type ReturnedTask, returnToReady, type UnfinishedAttempt, type WayBack } from './return-to-ready.ts';

/** A task that was interrupted this often ends its executors: it becomes a dead letter instead of a crash loop. */
export const MAX_INTERRUPTIONS = 10;

const RELEASE: WayBack = {
  name: 'release-attempt',
  counter: 'interruptions',
  limit: String(MAX_INTERRUPTIONS),
  waitMs: '0',
};

/**
 * running → ready at once, after an attempt that its executor gave up because it was shutting down. It does not count
 * against the handler, but has a limit of its own.
 * @returns undefined when superseded or when the task was interrupted too often.
 */
export function releaseAttempt(pool: Pool, attempt: UnfinishedAttempt): Promise<ReturnedTask | undefined> {
  return returnToReady(pool, attempt, RELEASE);
}
