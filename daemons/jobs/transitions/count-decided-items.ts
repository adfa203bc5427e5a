import { PROGRESS_COLUMNS } from '../job-view.ts';

/**
 * A value, not a constant, which would offer the indexes of jobs that are not completed: all that wait would be looked
 * through for each of these few, as long as statistics are from a time when there were none.
 */
const IN_PROGRESS = `(select 'IN_PROGRESS')`;

/**
 * The second half of every transition that decides items: adds them to their jobs, and ends a job with its last item.
 *
 * Expects two common table expressions before it: `locked` (the jobs IN_PROGRESS, locked in the order of their ids, so
 * that two batches can't wait for each other), and `changed` (job_id, seq, attempt, succeeded, failed of the tasks that
 * the transition has changed). Terminal is final: a job that has ended is not in `locked`, and its tasks do not change.
 * `counted` has the jobs as they are afterwards, each with the tasks and attempts that it was changed by.
 */
export const COUNT_DECIDED_ITEMS = `
  total as (
    select job_id, sum(succeeded)::int as more_completed, sum(failed)::int as more_failed,
      array_agg(seq) as seqs, array_agg(attempt) as attempts
    from changed group by job_id
  ), counted as (
    update job set
      completed = completed + more_completed,
      failed = failed + more_failed,
      status = case
        when completed + more_completed = size then 'COMPLETED'
        when completed + more_completed + failed + more_failed = size then 'FAILED'
        else status end,
      ended_at = case when completed + more_completed + failed + more_failed = size then clock_timestamp() end
    from total
    where job.id = total.job_id and job.status = ${IN_PROGRESS} and more_completed + more_failed > 0
    returning ${PROGRESS_COLUMNS}, total.seqs, total.attempts
  )`;

/**
 * Locks the jobs that may still change, always in the same order; $1 has their ids. Not against rows of the history
 * that refer to them: whoever writes these may hold a task already.
 */
export const LOCK_JOBS_IN_PROGRESS = `
  locked as materialized (
    select id, round, max_attempts, backoff_ms from job
    where id = any($1::bigint[]) and status = ${IN_PROGRESS}
    order by id
    for no key update
  )`;
