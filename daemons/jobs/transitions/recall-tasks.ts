import type { Pool } from 'pg';
import { type AttemptRef, columnsOf } from './attempt-ref.ts';

/** dispatched → ready, for tasks whose hints the broker has not confirmed. */
const RECALL_TASKS = `
  update task set state = 'ready', lease_until = null
  from unnest($1::bigint[], $2::int[], $3::int[]) as a(job_id, seq, attempt)
  where task.job_id = a.job_id and task.seq = a.seq and task.attempt + 1 = a.attempt and task.state = 'dispatched'
  returning task.type`;

/**
 * @param hinted the attempts that the hints would have started
 * @returns the types of the tasks that are ready again. The others were started or cancelled in the meantime.
 */
export async function recallTasks(pool: Pool, hinted: readonly AttemptRef[]): Promise<string[]> {
  const { rows } = await pool.query<{ type: string }>({
    name: 'recall-tasks',
    text: RECALL_TASKS,
    values: columnsOf(hinted),
  });
  return rows.map(({ type }) => type);
}
