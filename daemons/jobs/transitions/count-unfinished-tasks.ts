import type { TaskState } from '@jobber/db/jobs';
import type { Pool } from 'pg';

/** How many tasks wait and run. Reads only, and only the indexes of unfinished tasks. */
const COUNT_UNFINISHED_TASKS = `
  select type, 'waiting' as state, count(*)::int as count from task where state = 'waiting' group by type
  union all
  select type, 'ready' as state, count(*)::int as count from task where state = 'ready' group by type
  union all
  select type, state, count(*)::int as count from task where lease_until is not null group by type, state`;

export interface TaskCount {
  /** Slug of the job type. */
  readonly type: string;
  readonly state: TaskState;
  readonly count: number;
}

export async function countUnfinishedTasks(pool: Pool): Promise<TaskCount[]> {
  const { rows } = await pool.query<TaskCount>({
    name: 'count-unfinished-tasks',
    text: COUNT_UNFINISHED_TASKS,
  });
  return rows;
}
