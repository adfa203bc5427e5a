import { createGroupCommit } from '@jobber/shared/group-commit';
import type { Pool } from 'pg';
import type { JobsMetrics } from '../jobs-metrics.ts';
import { runBatch } from '../transitions/run-batch.ts';
import { startTasks, type TaskStart } from '../transitions/start-tasks.ts';
import type { StartedTask } from '../transitions/started-task.ts';

/**
 * Starts the attempt that a hint names, together with others that are asked for at the
 * same time. Undefined: superseded.
 */
export type StartTask = (start: TaskStart) => Promise<StartedTask | undefined>;

export interface StartTaskParts {
  readonly pool: Pool;
  readonly leaseMs: number;
  /** A task of this type was started for this executor. */
  readonly onStarted: (type: string, executorId: string) => void;
  readonly metrics: Pick<JobsMetrics, 'tasksClaimed' | 'batchSize'>;
}

export function createStartTask({ pool, leaseMs, onStarted, metrics }: StartTaskParts): StartTask {
  const starts = createGroupCommit<TaskStart, StartedTask | undefined>({
    maxBatch: 500,
    concurrency: 2,
    async run(batch) {
      metrics.batchSize.observe({ batch: 'start' }, batch.length);
      return await runBatch(batch, (some) => startTasks(pool, some, leaseMs));
    },
  });
  return async function startTask(start) {
    const task = await starts.submit(start);
    if (!task) return undefined;
    metrics.tasksClaimed.inc({ type: task.type });
    onStarted(task.type, start.executorId);
    return task;
  };
}
