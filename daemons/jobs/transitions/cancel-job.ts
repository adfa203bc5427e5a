import type { Pool } from 'pg';
import { inTransaction } from '../in-transaction.ts';
import { againAfterDeadlock } from './run-batch.ts';

/**
 * A statement of its own: the next one then sees what was committed while this one waited. By what was seen before, tasks
 * of a round that has begun meanwhile would have stayed as they were.
 */
const LOCK_JOB = 'select from job where id = $1 for no key update';

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
  return await againAfterDeadlock(() =>
    inTransaction(pool, async (client) => {
      await client.query({ name: 'lock-job', text: LOCK_JOB, values: [jobId] });
      const { rowCount } = await client.query({ name: 'cancel-job', text: CANCEL_JOB, values: [jobId, by] });
      return rowCount === 1;
    }),
  );
}
