import type { DecidedItem } from '@jobber/db/jobs';
import type { Pool } from 'pg';
import type { AttemptRef } from './attempt-ref.ts';
import { COUNT_DECIDED_ITEMS, LOCK_JOBS_IN_PROGRESS } from './count-decided-items.ts';
import { OUTCOME_FITS_TASK } from './outcome-fits-task.ts';
import { againAfterDeadlock } from './run-batch.ts';

/** An attempt that left items undecided: its task goes back to `ready` with the rest. */
export interface UnfinishedAttempt extends AttemptRef {
  /** The items that the attempt has decided all the same. */
  readonly decided: readonly DecidedItem[];
  readonly counters: Readonly<Record<string, number>> | null;
  readonly error: string | null;
}

/** The parts in which the two ways back to `ready` differ, as SQL over `task` and its job type `jt`. */
export interface WayBack {
  /** Names the prepared statement. */
  readonly name: string;
  /** The counter that grows. */
  readonly counter: 'failures' | 'interruptions';
  /** The task does not go back when the counter would reach this. */
  readonly limit: string;
  /** Wait before the next attempt, in milliseconds. */
  readonly waitMs: string;
}

function statement({ counter, limit, waitMs }: WayBack): string {
  return `
  with asked as (
    select $1::bigint as job_id, $2::int as seq, $3::int as attempt, $4::int as succeeded, $5::int as failed,
      $6::jsonb as decided, $7::jsonb as counters, $8::int as max_offset, $9::text as error
  ), ${LOCK_JOBS_IN_PROGRESS}, changed as (
    update task set
      state = 'ready',
      ${counter} = ${counter} + 1,
      decided = task.decided || a.decided,
      counters = task.counters || a.counters,
      last_error = coalesce(a.error, last_error),
      lease_until = null,
      available_at = clock_timestamp() + (${waitMs}) * interval '1 ms'
    from asked a join locked on locked.id = a.job_id, job_type jt
    where task.job_id = a.job_id and task.seq = a.seq and task.attempt = a.attempt and task.state = 'running'
      and jt.slug = task.type
      and ${counter} + 1 < ${limit}
      and jsonb_array_length(task.decided) + jsonb_array_length(a.decided) < task.item_count
      and ${OUTCOME_FITS_TASK}
    returning task.job_id, task.seq, task.type, task.available_at, a.succeeded, a.failed
  ), ${COUNT_DECIDED_ITEMS}
  select type, greatest(0, extract(epoch from available_at - clock_timestamp()) * 1000)::float8 as wait_ms from changed`;
}

/** A task that waits to be tried again. */
export interface ReturnedTask {
  /** Slug of its job type. */
  readonly type: string;
  /** Until it may be claimed, in milliseconds. */
  readonly waitMs: number;
}

/** running → ready. @returns undefined when superseded or at the limit; nothing was changed then. */
export async function returnToReady(
  pool: Pool,
  attempt: UnfinishedAttempt,
  way: WayBack,
): Promise<ReturnedTask | undefined> {
  const { rows } = await againAfterDeadlock(() =>
    pool.query<{ type: string; wait_ms: number }>({
      name: way.name,
      text: statement(way),
      values: [
        attempt.jobId,
        attempt.seq,
        attempt.attempt,
        attempt.decided.filter((item) => item[1] === 1).length,
        attempt.decided.filter((item) => item[1] === 0).length,
        JSON.stringify(attempt.decided),
        JSON.stringify(attempt.counters ? [attempt.counters] : []),
        attempt.decided.reduce((max, item) => Math.max(max, item[0]), -1),
        attempt.error,
      ],
    }),
  );
  return rows[0] && { type: rows[0].type, waitMs: rows[0].wait_ms };
}
