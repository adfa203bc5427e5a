import type { Pool } from 'pg';

/** How much of some types is at the broker and how much runs, on all replicas. Reads only. */
const COUNT_DISPATCHED_TASKS = `
  select wanted.type, coalesce(dispatched, 0) as dispatched, coalesce(running, 0) as running,
    exists (select from task where task.type = wanted.type and state = 'ready') as ready
  from unnest($1::text[]) as wanted(type)
  left join (
    select type, count(*) filter (where state = 'dispatched')::int as dispatched,
      count(*) filter (where state = 'running')::int as running
    from task where lease_until is not null group by type
  ) counted using (type)`;

export interface DispatchedCount {
  /** Slug. */
  readonly type: string;
  readonly dispatched: number;
  readonly running: number;
  /** Whether tasks of the type are ready. */
  readonly ready: boolean;
}

export async function countDispatchedTasks(pool: Pool, types: readonly string[]): Promise<DispatchedCount[]> {
  const { rows } = await pool.query<DispatchedCount>({
    name: 'count-dispatched-tasks',
    text: COUNT_DISPATCHED_TASKS,
    values: [types],
  });
  return rows;
}
