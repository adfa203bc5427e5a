import type { Pool } from 'pg';
import { releaseAttempts } from '../transitions/release-attempts.ts';
import { againAfterDeadlock } from '../transitions/run-batch.ts';
import type { StartedTask } from '../transitions/started-task.ts';
import type { Notifications } from './notifications.ts';

const REASON = { reason: 'ExecutorGone', message: 'The executor went away before it had the task' };

/** Tasks that were claimed while their executor went away need not wait for their lease to expire. */
export async function giveBackTasks(
  { pool, notifications }: { pool: Pool; notifications: Notifications },
  tasks: readonly StartedTask[],
): Promise<void> {
  if (tasks.length === 0) return;
  const attempts = tasks.map(({ jobId, seq, attempt }) => {
    return { jobId, seq, attempt, decided: [], counters: null, error: REASON };
  });
  // When it fails, the leases expire.
  const released = await againAfterDeadlock(() => releaseAttempts(pool, attempts)).catch(() => []);
  notifications.tasksReady(released.flatMap((task) => (task ? [task.type] : [])));
}
