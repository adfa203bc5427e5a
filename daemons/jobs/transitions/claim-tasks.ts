import type { Pool } from 'pg';
import { SELECT_STARTED, type StartedRow, type StartedTask, toStartedTask } from './started-task.ts';

/**
 * ready → running, for up to `limit` tasks of the given types, oldest jobs first. The claim is the start of an attempt:
 * its number grows and its lease runs by the database's clock. Claims of several replicas never meet (SKIP LOCKED).
 */
const CLAIM_TASKS = `
  with candidate as (
    select t.job_id, t.seq
    from unnest($1::text[]) as wanted(type)
    cross join lateral (
      select job_id, seq from task
      where type = wanted.type and state = 'ready' and available_at <= now()
      order by job_id, seq
      limit $2
      for update skip locked
    ) t
    order by t.job_id, t.seq
    limit $2
  ), started as (
    update task set state = 'running', attempt = attempt + 1, executor_id = $3,
      lease_until = clock_timestamp() + $4 * interval '1 ms'
    from candidate c
    where task.job_id = c.job_id and task.seq = c.seq and task.state = 'ready'
    returning task.*
  )
  ${SELECT_STARTED}`;

export async function claimTasks(
  pool: Pool,
  claim: { types: readonly string[]; limit: number; executorId: string; leaseMs: number },
): Promise<StartedTask[]> {
  const { rows } = await pool.query<StartedRow>({
    name: 'claim-tasks',
    text: CLAIM_TASKS,
    values: [claim.types, claim.limit, claim.executorId, claim.leaseMs],
  });
  return rows.map(toStartedTask);
}
