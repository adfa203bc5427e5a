import type { Pool } from 'pg';
import type { AttemptRef } from './attempt-ref.ts';
import { SELECT_STARTED, type StartedRow, type StartedTask, toStartedTask } from './started-task.ts';

/**
 * ready | dispatched → running, for the one task that a hint names. The hint says which attempt it is about: a hint that
 * is late, doubled or forged finds another number or another state, and changes nothing.
 */
const START_TASK = `
  with started as (
    update task set state = 'running', attempt = attempt + 1, executor_id = $4,
      lease_until = clock_timestamp() + $5 * interval '1 ms'
    where job_id = $1 and seq = $2 and attempt + 1 = $3
      and state in ('ready', 'dispatched') and available_at <= now()
    returning *
  )
  ${SELECT_STARTED}`;

/** @returns the task, or undefined when the hint is superseded. */
export async function startTask(
  pool: Pool,
  start: AttemptRef & { executorId: string; leaseMs: number },
): Promise<StartedTask | undefined> {
  const { rows } = await pool.query<StartedRow>({
    name: 'start-task',
    text: START_TASK,
    values: [start.jobId, start.seq, start.attempt, start.executorId, start.leaseMs],
  });
  return rows[0] && toStartedTask(rows[0]);
}
