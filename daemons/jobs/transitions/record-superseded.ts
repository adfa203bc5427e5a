import type { Pool } from 'pg';
import { type AttemptRef, columnsOf } from './attempt-ref.ts';

/** A late outcome: of an attempt that is not the running one any more. */
export interface SupersededAttempt extends AttemptRef {
  readonly executorId: string;
}

/**
 * Adds late outcomes to their jobs' histories, and changes nothing else. Attempts that never were are not named, nor are
 * copies of outcomes that were recorded; each is told once, however often it is sent.
 */
const RECORD_SUPERSEDED = `
  with asked as (
    select distinct on (job_id, seq, attempt) *
    from unnest($1::bigint[], $2::int[], $3::int[], $4::text[]) as a(job_id, seq, attempt, executor_id)
  )
  insert into history (job_id, seq, attempt, round, event, executor_id, reason, message)
  select a.job_id, a.seq, a.attempt, job.round, 'superseded', a.executor_id, 'TooLate',
    'The outcome came after the attempt had ended; it changed nothing'
  from asked a
  join task on task.job_id = a.job_id and task.seq = a.seq and a.attempt <= task.attempt
  join job on job.id = a.job_id
  where not (task.attempt = a.attempt and task.state in ('running', 'succeeded', 'dead'))
    -- Not every deferral is told: the last attempt of a task that waits has come back, unless it was rescued.
    and not (task.attempt = a.attempt and task.state in ('waiting', 'ready') and not exists (
      select from history h
      where h.job_id = a.job_id and h.seq = a.seq and h.attempt = a.attempt and h.event = 'rescued'))
    and not exists (
      select from history h
      where h.job_id = a.job_id and h.seq = a.seq and h.attempt = a.attempt
        and h.event in ('retried', 'deferred', 'released', 'died'))
  on conflict (job_id, seq, attempt) where event = 'superseded' do nothing`;

export async function recordSuperseded(pool: Pool, attempts: readonly SupersededAttempt[]): Promise<void> {
  await pool.query({
    name: 'record-superseded',
    text: RECORD_SUPERSEDED,
    values: [...columnsOf(attempts), attempts.map(({ executorId }) => executorId)],
  });
}
