import type { Pool } from 'pg';
import { type AttemptRef, columnsOf, keyOf } from './attempt-ref.ts';
import { SELECT_STARTED, type StartedRow, type StartedTask, toStartedTask } from './started-task.ts';

/** A start that a hint has asked for. */
export interface TaskStart extends AttemptRef {
  readonly executorId: string;
}

/**
 * dispatched → running, for tasks that hints name. A hint says which attempt it is about: one that is late, doubled or
 * forged finds another number or another state, and changes nothing. Not from `ready`: whoever can write hints must not
 * pass the limits and the turns by which tasks are dispatched.
 */
const START_TASKS = `
  with started as (
    update task set state = 'running', attempt = task.attempt + 1, executor_id = a.executor_id,
      lease_until = clock_timestamp() + $5 * interval '1 ms'
    from unnest($1::bigint[], $2::int[], $3::int[], $4::text[]) as a(job_id, seq, attempt, executor_id)
    where task.job_id = a.job_id and task.seq = a.seq and task.attempt + 1 = a.attempt and task.state = 'dispatched'
    returning task.*
  )
  ${SELECT_STARTED}`;

/** @returns for each start, in order, the task, or undefined when its hint is superseded */
export async function startTasks(
  pool: Pool,
  starts: readonly TaskStart[],
  leaseMs: number,
): Promise<(StartedTask | undefined)[]> {
  // Of two copies in one batch only the first counts.
  const asked = [...new Map(starts.toReversed().map((start) => [keyOf(start), start])).values()];
  const { rows } = await pool.query<StartedRow>({
    name: 'start-tasks',
    text: START_TASKS,
    values: [...columnsOf(asked), asked.map(({ executorId }) => executorId), leaseMs],
  });
  const started = new Map(rows.map(toStartedTask).map((task) => [keyOf(task), task]));
  return starts.map((start) => {
    const key = keyOf(start);
    const task = started.get(key);
    started.delete(key);
    return task;
  });
}
