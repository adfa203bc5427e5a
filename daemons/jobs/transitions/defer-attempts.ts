import { createReturnTasks } from './return-tasks.ts';

/** Wait after the first attempt that found a service away, and the longest, in milliseconds. */
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;
/** The wait doubles this often at most: the exponent must not overflow. */
const DOUBLINGS = 10;

/**
 * running → waiting, after an attempt that could do nothing because a service was away. It counts towards nothing: a job
 * outlasts every outage, and goes on at the latest half a minute after it.
 */
export const deferAttempts = createReturnTasks({
  name: 'defer-attempts',
  event: 'deferred',
  to: 'waiting',
  counter: 'deferrals',
  limit: null,
  waitMs: `least(${FIRST_WAIT_MS} * power(2, least(deferrals, ${DOUBLINGS})), ${LONGEST_WAIT_MS}) * (0.75 + random() * 0.5)`,
  // The first, second, fourth, eighth … time: an outage of days must not fill the database.
  told: '(times & (times - 1)) = 0',
});
