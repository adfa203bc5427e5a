import { createReturnTasks } from './return-tasks.ts';

/** A task that was interrupted this often ends its executors: it becomes a dead letter instead of a crash loop. */
export const MAX_INTERRUPTIONS = 10;

/**
 * running → ready at once, after an attempt that its executor gave up because it was shutting down. It does not count
 * against the handler, but has a limit of its own.
 */
export const releaseAttempts = createReturnTasks({
  name: 'release-attempts',
  event: 'released',
  to: 'ready',
  counter: 'interruptions',
  limit: String(MAX_INTERRUPTIONS),
  waitMs: '0',
  told: null,
});
