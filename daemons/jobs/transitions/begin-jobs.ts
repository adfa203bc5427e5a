import type { Pool } from 'pg';

/** Jobs of one round at most. */
const BATCH = 500;

/** SCHEDULED → IN_PROGRESS, for jobs whose time has come. Their tasks are woken by `wake-tasks`. */
const BEGIN_JOBS = `
  with due as (
    select id from job where scheduled_at <= now()
    order by scheduled_at
    limit ${BATCH}
    for update skip locked
  )
  update job set status = 'IN_PROGRESS' from due
  where job.id = due.id and job.status = 'SCHEDULED'
  returning job.id`;

/** @returns the ids of the jobs that have begun. */
export async function beginJobs(pool: Pool): Promise<number[]> {
  const { rows } = await pool.query<{ id: string }>({ name: 'begin-jobs', text: BEGIN_JOBS });
  return rows.map(({ id }) => Number(id));
}
