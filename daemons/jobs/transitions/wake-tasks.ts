import type { Pool } from 'pg';

/** Tasks of one round at most. */
const BATCH = 1_000;

/**
 * waiting → ready, for tasks whose time has come, in jobs that have begun. Replicas that do this at the same time never
 * meet (SKIP LOCKED).
 */
const WAKE_TASKS = `
  with due as (
    select task.job_id, task.seq from task
    where state = 'waiting' and available_at <= now()
      and exists (select from job where job.id = task.job_id and job.status = 'IN_PROGRESS')
    order by available_at
    limit ${BATCH}
    for update skip locked
  ), woken as (
    update task set state = 'ready' from due
    where task.job_id = due.job_id and task.seq = due.seq and task.state = 'waiting'
    returning task.type
  )
  select type, count(*)::int as count from woken group by type`;

/** @returns the types of the tasks that are ready now, and whether there may be more. */
export async function wakeTasks(pool: Pool): Promise<{ types: string[]; more: boolean }> {
  const { rows } = await pool.query<{ type: string; count: number }>({
    name: 'wake-tasks',
    text: WAKE_TASKS,
  });
  const woken = rows.reduce((sum, { count }) => sum + count, 0);
  return { types: rows.map(({ type }) => type), more: woken >= BATCH };
}
