import type { Pool } from 'pg';
import type { AttemptRef } from './attempt-ref.ts';

/** How far a running attempt's task has come. Reads only. */
const READ_RUNNING_ATTEMPT = `
  select task.item_count, task.failures, task.interruptions, coalesce(job.max_attempts, jt.max_attempts) as max_attempts,
    (select coalesce(json_agg((d -> 0)::int), '[]') from jsonb_array_elements(task.decided) d) as decided_offsets
  from task join job_type jt on jt.slug = task.type join job on job.id = task.job_id
  where task.job_id = $1 and task.seq = $2 and task.attempt = $3 and task.state = 'running'`;

export interface RunningAttempt {
  readonly itemCount: number;
  /** Earlier attempts that count against the handler, and those that were interrupted. */
  readonly failures: number;
  readonly interruptions: number;
  readonly maxAttempts: number;
  /** Offsets of the items that earlier attempts have decided. */
  readonly decidedOffsets: readonly number[];
}

/** @returns undefined when the attempt is superseded. */
export async function readRunningAttempt(pool: Pool, ref: AttemptRef): Promise<RunningAttempt | undefined> {
  const { rows } = await pool.query({
    name: 'read-running-attempt',
    text: READ_RUNNING_ATTEMPT,
    values: [ref.jobId, ref.seq, ref.attempt],
  });
  const [row] = rows;
  return (
    row && {
      itemCount: row.item_count,
      failures: row.failures,
      interruptions: row.interruptions,
      maxAttempts: row.max_attempts,
      decidedOffsets: row.decided_offsets,
    }
  );
}
