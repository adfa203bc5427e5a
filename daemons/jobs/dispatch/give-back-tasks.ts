import type { Pool } from 'pg';
import { handBackAttempts } from '../transitions/hand-back-attempts.ts';
import { againAfterDeadlock } from '../transitions/run-batch.ts';
import type { StartedTask } from '../transitions/started-task.ts';
import type { Notifications } from './notifications.ts';

/** Tasks that were claimed while their executor went away, and were not sent, need not wait for their lease to expire. */
export async function giveBackTasks(
  { pool, notifications }: { pool: Pool; notifications: Notifications },
  tasks: readonly StartedTask[],
): Promise<void> {
  if (tasks.length === 0) return;
  const attempts = tasks.map(({ jobId, seq, attempt }) => {
    return { jobId, seq, attempt, decided: [], counters: null, error: null };
  });
  // When it fails, the leases expire.
  const returned = await againAfterDeadlock(() => handBackAttempts(pool, attempts)).catch(() => []);
  notifications.tasksReady(returned.flatMap((task) => (task ? [task.type] : [])));
}
