import type { Pool } from 'pg';
import { type JobProgress, type ProgressRow, toProgress } from '../job-view.ts';
import { type AttemptRef, columnsOf } from './attempt-ref.ts';
import { COUNT_DECIDED_ITEMS, LOCK_JOBS_IN_PROGRESS } from './count-decided-items.ts';
import { againAfterDeadlock } from './run-batch.ts';

/** An attempt after which its task has no attempts left, and why its undecided items have failed for good. */
export interface BuriedAttempt extends AttemptRef {
  readonly reason: string;
  readonly message: string;
}

/**
 * running → dead, while the lease is over: every item that is still undecided has failed for good. An executor that was
 * heard of in the meantime keeps its task.
 */
const BURY_TASKS = `
  with asked as (
    select * from unnest($1::bigint[], $2::int[], $3::int[], $4::jsonb[]) as a(job_id, seq, attempt, error)
  ), ${LOCK_JOBS_IN_PROGRESS}, buried as (
    select task.job_id, task.seq, task.attempt, a.error, undecided.items, undecided.count
    from task
    join asked a on task.job_id = a.job_id and task.seq = a.seq and task.attempt = a.attempt
    join locked on locked.id = a.job_id
    cross join lateral (
      select jsonb_agg(jsonb_build_array(o, 0, a.error)) as items, count(*)::int as count
      from generate_series(0, task.item_count - 1) as o
      where not exists (select from jsonb_array_elements(task.decided) d where (d -> 0)::int = o)
    ) undecided
    where task.state = 'running' and task.lease_until < now()
  ), changed as (
    update task set state = 'dead', decided = task.decided || b.items, lease_until = null,
      failures = failures + 1, last_error = b.error ->> 'message', died_at = clock_timestamp()
    from buried b
    where task.job_id = b.job_id and task.seq = b.seq and task.attempt = b.attempt and task.state = 'running'
      and task.lease_until < now()
    returning task.job_id, task.seq, task.attempt, task.executor_id, b.error, 0 as succeeded, b.count as failed
  ), ${COUNT_DECIDED_ITEMS}, told as (
    insert into history (job_id, seq, attempt, round, event, executor_id, reason, message)
    select job_id, seq, attempt, round, 'died', executor_id, error ->> 'reason', error ->> 'message'
    from changed join locked on locked.id = job_id
  )
  select counted.* from counted`;

/** A job, and how many of its tasks ended. */
export type BuriedJob = JobProgress & { readonly tasks: number };

/** @returns the jobs that lost tasks this way. */
export async function buryTasks(pool: Pool, attempts: readonly BuriedAttempt[]): Promise<BuriedJob[]> {
  const errors = attempts.map(({ reason, message }) => JSON.stringify({ reason, message }));
  const { rows } = await againAfterDeadlock(() =>
    pool.query<ProgressRow & { seqs: number[] }>({
      name: 'bury-tasks',
      text: BURY_TASKS,
      values: [...columnsOf(attempts), errors],
    }),
  );
  return rows.map((row) => ({ ...toProgress(row), tasks: row.seqs.length }));
}
