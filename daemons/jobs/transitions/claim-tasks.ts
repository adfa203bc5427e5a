import type { Pool } from 'pg';
import { SELECT_STARTED, type StartedRow, type StartedTask, toStartedTask } from './started-task.ts';

/**
 * Which of the ready tasks come first. `oldest`: those of the oldest job. `widest`: the first tasks of every job, so that
 * a small job need not wait for all of a giant one. Taken in turns, neither can keep the other waiting for ever.
 */
export type ClaimOrder = 'oldest' | 'widest';

const COLUMNS: Readonly<Record<ClaimOrder, string>> = { oldest: 'job_id, seq', widest: 'seq, job_id' };

/**
 * ready → running, for up to `limit` tasks of the given types. The claim is the start of an attempt: its number grows
 * and its lease runs by the database's clock. Claims of several replicas never meet (SKIP LOCKED).
 */
function statement(order: ClaimOrder): string {
  return `
  with candidate as (
    select t.job_id, t.seq
    from unnest($1::text[]) as wanted(type)
    cross join lateral (
      select job_id, seq from task
      where type = wanted.type and state = 'ready' and available_at <= now()
      order by ${COLUMNS[order]}
      limit $2
      for update skip locked
    ) t
    order by ${COLUMNS[order]}
    limit $2
  ), started as (
    update task set state = 'running', attempt = attempt + 1, executor_id = $3,
      lease_until = clock_timestamp() + $4 * interval '1 ms'
    from candidate c
    where task.job_id = c.job_id and task.seq = c.seq and task.state = 'ready'
    returning task.*
  )
  ${SELECT_STARTED}`;
}

const STATEMENTS = { oldest: statement('oldest'), widest: statement('widest') };

export interface Claim {
  /** Slugs. */
  readonly types: readonly string[];
  readonly limit: number;
  readonly order: ClaimOrder;
  readonly executorId: string;
  readonly leaseMs: number;
}

export async function claimTasks(pool: Pool, claim: Claim): Promise<StartedTask[]> {
  const { rows } = await pool.query<StartedRow>({
    name: `claim-${claim.order}-tasks`,
    text: STATEMENTS[claim.order],
    values: [claim.types, claim.limit, claim.executorId, claim.leaseMs],
  });
  return rows.map(toStartedTask);
}
