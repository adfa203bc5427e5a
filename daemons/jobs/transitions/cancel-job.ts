import type { Pool } from 'pg';
import { againAfterDeadlock } from './run-batch.ts';

/**
 * A job that has not ended → CANCELLED, and with it every task that has not ended. A job that finishes in the same
 * moment is one or the other: both lock the job's row first.
 */
const CANCEL_JOB = `
  with cancelled as (
    update job set status = 'CANCELLED', ended_at = clock_timestamp()
    where id = $1 and status in ('IN_PROGRESS', 'SCHEDULED', 'AWAITING_APPROVAL')
    returning id, round
  ), tasks as (
    update task set state = 'cancelled', lease_until = null
    from cancelled
    where task.job_id = cancelled.id and task.state in ('waiting', 'ready', 'dispatched', 'running')
  ), told as (
    insert into history (job_id, round, event, detail)
    select id, round, 'cancelled', jsonb_build_object('by', $2::text) from cancelled
  )
  select 1 from cancelled`;

/** @param by id of the user who asked for it @returns false when the job has ended already; nothing was changed then. */
export async function cancelJob(pool: Pool, jobId: number, by: string): Promise<boolean> {
  const { rowCount } = await againAfterDeadlock(() =>
    pool.query({ name: 'cancel-job', text: CANCEL_JOB, values: [jobId, by] }),
  );
  return rowCount === 1;
}
