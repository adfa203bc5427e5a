/**
 * The second half of every transition that decides items: adds them to their jobs, and ends a job with its last item.
 *
 * Expects three common table expressions before it: `locked` (ids of jobs IN_PROGRESS, locked in the order of their
 * ids, so that two batches can't wait for each other), and `changed` (job_id, seq, succeeded, failed of the tasks that
 * the transition has changed). Terminal is final: a job that has ended is not in `locked`, and its tasks do not change.
 */
export const COUNT_DECIDED_ITEMS = `
  total as (
    select job_id, sum(succeeded)::int as succeeded, sum(failed)::int as failed from changed group by job_id
  ), counted as (
    update job set
      completed = completed + succeeded,
      failed = job.failed + total.failed,
      status = case
        when completed + succeeded = size then 'COMPLETED'
        when completed + succeeded + job.failed + total.failed = size then 'FAILED'
        else status end,
      ended_at = case
        when completed + succeeded + job.failed + total.failed = size then clock_timestamp() end
    from total
    where job.id = total.job_id and job.status = 'IN_PROGRESS' and succeeded + total.failed > 0
    returning job.id, job.status
  )`;

/** Locks the jobs of `asked` that may still change, always in the same order. */
export const LOCK_JOBS_IN_PROGRESS = `
  locked as materialized (
    select id from job
    where id in (select job_id from asked) and status = 'IN_PROGRESS'
    order by id
    for update
  )`;
