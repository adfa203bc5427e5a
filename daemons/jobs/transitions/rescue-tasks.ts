import type { Pool } from 'pg';

/** Tasks of one round at most. */
const BATCH = 500;

/**
 * running → ready, for tasks whose lease has expired: their executor is gone, or can't be heard. The attempt does not
 * count as a failure. dispatched → ready, for tasks that nobody has started: their hint was lost, or waits behind others.
 * Replicas that do this at the same time never meet (SKIP LOCKED). Tasks that were interrupted too often are left to
 * `bury-tasks`.
 */
const RESCUE_TASKS = `
  with lost as (
    select job_id, seq, attempt, state from task
    where lease_until < now() and (state = 'dispatched' or (state = 'running' and interruptions + 1 < $1))
    order by lease_until
    limit ${BATCH}
    for update skip locked
  ), rescued as (
    update task set state = 'ready', interruptions = interruptions + (lost.state = 'running')::int, lease_until = null,
      available_at = clock_timestamp()
    from lost
    where task.job_id = lost.job_id and task.seq = lost.seq and task.attempt = lost.attempt and task.state = lost.state
    returning task.job_id, task.seq, task.attempt, task.type, case when lost.state = 'running' then task.executor_id end as executor_id
  ), told as (
    insert into history (job_id, seq, attempt, round, event, executor_id, reason, message)
    select job_id, seq, attempt, job.round, 'rescued', executor_id, 'LeaseExpired', 'The executor was not heard of in time'
    from rescued join job on job.id = rescued.job_id
    where executor_id is not null
  )
  select * from rescued`;

export interface RescuedTask {
  readonly jobId: number;
  readonly seq: number;
  /** The attempt that was lost, or the last one before the hint that was. */
  readonly attempt: number;
  readonly type: string;
  /** Null: the task was dispatched, and nobody has started it. */
  readonly executorId: string | null;
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
