import type { Pool, PoolClient } from 'pg';

const KEPT = 'select started_at, job_id, owner_id, type, tags from job_in_progress';
const TRUE = `
  select started_at, id, owner_id, type, nullif(tags, '{}') from job where status = 'IN_PROGRESS'`;

/** Rows that the table of jobs in progress lacks, or has too many. */
export const WRONG_JOBS_IN_PROGRESS = `(${KEPT} except all ${TRUE}) union all (${TRUE} except all ${KEPT})`;

/** @returns the ids of the jobs in progress by the table that lists read, and what is wrong with it by the jobs themselves */
export async function readJobsInProgress(
  database: Pool | PoolClient,
): Promise<{ ids: number[]; wrong: object[] }> {
  const kept = await database.query<{ id: number }>(
    'select job_id::int as id from job_in_progress order by id',
  );
  return {
    ids: kept.rows.map(({ id }) => id),
    wrong: (await database.query(WRONG_JOBS_IN_PROGRESS)).rows,
  };
}
