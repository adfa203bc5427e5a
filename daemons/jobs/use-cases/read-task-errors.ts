import type { Pool } from 'pg';
import type { TaskRef } from '../transitions/redrive-tasks.ts';

/** Why an item failed for good. */
export interface ItemError {
  /** In the job, from 0. */
  readonly index: number;
  readonly reason: string;
  readonly message: string;
}

const READ_TASK_ERRORS = `
  select task.first_item + (d -> 0)::int as index, d #>> '{2,reason}' as reason, d #>> '{2,message}' as message
  from task cross join lateral jsonb_array_elements(task.decided) d
  where task.job_id = $1 and task.seq = $2 and (d -> 1)::int = 0
  order by index
  limit $3`;

/** The failed items of a task, by index. */
export async function readTaskErrors(
  pool: Pool,
  { jobId, seq }: TaskRef,
  limit: number,
): Promise<ItemError[]> {
  const { rows } = await pool.query<ItemError>(READ_TASK_ERRORS, [jobId, seq, limit]);
  return rows;
}
