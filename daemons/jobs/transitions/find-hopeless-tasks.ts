import type { Pool } from 'pg';
import { type AttemptRef, type AttemptRow, refOfRow } from './attempt-ref.ts';

/** Tasks whose lease has expired once too often; `bury-tasks` ends them. Reads only. */
const FIND_HOPELESS_TASKS = `
  select job_id, seq, attempt from task
  where state = 'running' and lease_until < now() and interruptions + 1 >= $1
  limit 100`;

export async function findHopelessTasks(pool: Pool, maxInterruptions: number): Promise<AttemptRef[]> {
  const { rows } = await pool.query<AttemptRow>({
    name: 'find-hopeless-tasks',
    text: FIND_HOPELESS_TASKS,
    values: [maxInterruptions],
  });
  return rows.map(refOfRow);
}
