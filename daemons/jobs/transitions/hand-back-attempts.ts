import { createReturnTasks } from './return-tasks.ts';

/**
 * running → ready at once, after an attempt whose handler never began: its executor has gone, stops, or could not run it soon. It
 * counts towards nothing, and there is nothing to tell.
 */
export const handBackAttempts = createReturnTasks({
  name: 'hand-back-attempts',
  event: null,
  to: 'ready',
  counter: null,
  limit: null,
  waitMs: '0',
  told: null,
});
