import type { Logger } from '@jobber/shared/log';
import type { Pool } from 'pg';
import type { JobsMetrics } from '../jobs-metrics.ts';
import { buryTasks } from '../transitions/bury-tasks.ts';
import { findHopelessTasks } from '../transitions/find-hopeless-tasks.ts';
import { MAX_INTERRUPTIONS } from '../transitions/release-attempts.ts';
import { type RescuedTask, rescueTasks } from '../transitions/rescue-tasks.ts';
import type { Notifications } from './notifications.ts';

export interface RescueParts {
  readonly pool: Pool;
  readonly notifications: Notifications;
  readonly metrics: Pick<JobsMetrics, 'tasksRescued' | 'hintsLost' | 'tasksBuried' | 'jobsEnded'>;
  readonly log: Logger;
}

/** Ids of jobs in one line of the log at most. */
const MAX_LOGGED_IDS = 20;

/** One round of the one path by which lost tasks come back: every replica does it, no two find the same task. */
export async function rescueLostTasks({ pool, notifications, metrics, log }: RescueParts): Promise<void> {
  const rescued = await rescueTasks(pool, MAX_INTERRUPTIONS);
  for (const { type, executorId } of rescued) {
    if (executorId === null) metrics.hintsLost.inc({ type });
    else metrics.tasksRescued.inc({ type });
  }
  for (const [executorId, tasks] of byExecutor(rescued)) {
    const some = { tasks: tasks.length, jobIds: firstJobIds(tasks.map(({ jobId }) => jobId)) };
    if (executorId === null) log.info(some, 'tasks whose hints nobody has followed are ready again');
    else log.warn({ executorId, ...some }, 'tasks rescued from an executor that is silent');
  }
  notifications.tasksReady(rescued.map(({ type }) => type));

  const hopeless = await findHopelessTasks(pool, MAX_INTERRUPTIONS);
  if (hopeless.length === 0) return;
  const message = `The task was lost with its executor ${MAX_INTERRUPTIONS} times`;
  const buried = await buryTasks(
    pool,
    hopeless.map((ref) => ({ ...ref, reason: 'Lost', message })),
  );
  for (const { tasks, status, endedAt } of buried) {
    metrics.tasksBuried.inc(tasks);
    if (endedAt !== null) metrics.jobsEnded.inc({ status });
  }
  if (buried.length > 0)
    log.error({ jobIds: firstJobIds(buried.map(({ id }) => id)) }, 'tasks given up: lost too often');
  notifications.jobsChanged(buried.map(({ id }) => id));
  // They made room for others, where how many may run is limited.
  notifications.tasksReady(buried.map(({ type }) => type));
}

function byExecutor(rescued: readonly RescuedTask[]): Map<string | null, RescuedTask[]> {
  return Map.groupBy(rescued, ({ executorId }) => executorId);
}

function firstJobIds(ids: readonly number[]): number[] {
  return [...new Set(ids)].slice(0, MAX_LOGGED_IDS);
}
