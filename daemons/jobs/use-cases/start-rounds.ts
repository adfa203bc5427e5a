import type { Logger } from '@jobber/shared/log';
import type { Pool } from 'pg';
import type { Notifications } from '../dispatch/notifications.ts';
import { inTransaction } from '../in-transaction.ts';
import type { JobView } from '../job-view.ts';
import type { JobsMetrics } from '../jobs-metrics.ts';
import { type Redriven, redriveTasks, type TaskRef } from '../transitions/redrive-tasks.ts';
import { againAfterConflict } from '../transitions/run-batch.ts';
import { TASKS_PER_STATEMENT } from '../transitions/tasks-per-statement.ts';

export interface StartedRounds {
  /** What became of each task that was looked at: all of them, unless time ran out. */
  readonly results: Redriven['tasks'];
  readonly jobs: readonly JobView[];
}

/**
 * Runs dead tasks again, whole jobs at a time. Ends early, between two jobs, rather than keep a request waiting.
 * @param tasks in the order of their jobs
 */
export type StartRounds = (
  tasks: readonly TaskRef[],
  how: { readonly by: string; readonly dryRun: boolean },
) => Promise<StartedRounds>;

/** Tasks of one step, give or take those of its last job. */
const BATCH = 200;
const ENOUGH_MS = 2_500;

export function createStartRounds(parts: {
  pool: Pool;
  notifications: Notifications;
  metrics: Pick<JobsMetrics, 'tasksRedriven'>;
  log: Logger;
}): StartRounds {
  const { pool, notifications, metrics, log } = parts;

  function tell({ tasks, jobs }: Redriven, by: string): void {
    const again = tasks.filter(({ refusal }) => refusal === null);
    for (const { type } of again) metrics.tasksRedriven.inc({ type });
    notifications.tasksReady(again.map(({ type }) => type));
    notifications.jobsChanged(jobs.map(({ id }) => id));
    for (const { id, round } of jobs) log.info({ jobId: id, round, by }, 'job begins a new round');
  }

  return async function startRounds(tasks, { by, dryRun }) {
    const results: Redriven['tasks'][number][] = [];
    const jobs: JobView[] = [];
    const enoughAt = performance.now() + ENOUGH_MS;
    for (const batch of cutBetweenJobs(tasks)) {
      const redriven = await againAfterConflict(() =>
        dryRun ? rehearse(pool, batch, by) : begin(pool, batch, by),
      );
      if (!dryRun) tell(redriven, by);
      results.push(...redriven.tasks);
      jobs.push(...redriven.jobs);
      if (performance.now() > enoughAt) break;
    }
    return { results, jobs };
  };
}

function begin(pool: Pool, tasks: readonly TaskRef[], by: string): Promise<Redriven> {
  return tasks.length <= TASKS_PER_STATEMENT
    ? redriveTasks(pool, tasks, by)
    : inTransaction(pool, (client) => redriveTasks(client, tasks, by));
}

/** Does it, and takes it back: what would happen is what happens. */
function rehearse(pool: Pool, tasks: readonly TaskRef[], by: string): Promise<Redriven> {
  return inTransaction(
    pool,
    (client) => redriveTasks(client, tasks, by),
    () => false,
  );
}

function cutBetweenJobs(tasks: readonly TaskRef[]): TaskRef[][] {
  const batches: TaskRef[][] = [];
  let last: TaskRef | undefined;
  for (const task of tasks) {
    const batch = batches.at(-1);
    if (batch && (batch.length < BATCH || task.jobId === last?.jobId)) batch.push(task);
    else batches.push([task]);
    last = task;
  }
  return batches;
}
