import type { Pool, PoolClient } from 'pg';

/** How many tasks of a type run, on all executors, or may any moment: their hints are at a broker. Reads only. */
const COUNT_RUNNING_TASKS = `select count(*)::int as count from task where lease_until is not null and type = $1`;

export async function countRunningTasks(database: Pool | PoolClient, type: string): Promise<number> {
  const { rows } = await database.query<{ count: number }>({
    name: 'count-running-tasks',
    text: COUNT_RUNNING_TASKS,
    values: [type],
  });
  return rows[0]?.count ?? 0;
}
