import type { Pool } from 'pg';

/** Tasks of one round at most. */
const BATCH = 500;

/**
 * running → ready, for tasks whose lease has expired: their executor is gone, or can't be heard. The attempt does not
 * count as a failure. Replicas that do this at the same time never meet (SKIP LOCKED). Tasks that were interrupted too
 * often are left to `bury-tasks`.
 */
const RESCUE_TASKS = `
  with lost as (
    select job_id, seq, attempt from task
    where state = 'running' and lease_until < now() and interruptions + 1 < $1
    order by lease_until
    limit ${BATCH}
    for update skip locked
  ), rescued as (
    update task set state = 'ready', interruptions = interruptions + 1, lease_until = null,
      available_at = clock_timestamp()
    from lost
    where task.job_id = lost.job_id and task.seq = lost.seq and task.attempt = lost.attempt and task.state = 'running'
    returning task.job_id, task.seq, task.attempt, task.type, task.executor_id
  ), told as (
    insert into history (job_id, seq, attempt, round, event, executor_id, reason, message)
    select job_id, seq, attempt, job.round, 'rescued', executor_id, 'LeaseExpired', 'The executor was not heard of in time'
    from rescued join job on job.id = rescued.job_id
  )
  select * from rescued`;

export interface RescuedTask {
  readonly jobId: number;
  readonly seq: number;
  /** The attempt that was lost. */
  readonly attempt: number;
  readonly type: string;
  readonly executorId: string;
}

export async function rescueTasks(pool: Pool, maxInterruptions: number): Promise<RescuedTask[]> {
  const { rows } = await pool.query({ name: 'rescue-tasks', text: RESCUE_TASKS, values: [maxInterruptions] });
  return rows.map((row) => ({
    jobId: Number(row.job_id),
    seq: row.seq,
    attempt: row.attempt,
    type: row.type,
    executorId: row.executor_id,
  }));
}
