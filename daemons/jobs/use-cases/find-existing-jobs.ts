import type { Pool, PoolClient } from 'pg';
import { JOB_COLUMNS, type JobRow, type JobView, toJobView } from '../job-view.ts';
import type { NewJob } from '../transitions/accept-jobs.ts';

/** A job that stands in the way of a new one. */
export interface ExistingJob {
  readonly job: JobView;
  /** It has the idempotency key of the new one; otherwise it is unfinished, and unique for the same. */
  readonly sameKey: boolean;
  /** SHA-256 of what was asked for; null for a job without a key. */
  readonly inputHash: Buffer | null;
}

const FIND_EXISTING_JOBS = `
  select ${JOB_COLUMNS}, idempotency_key, input_hash from job
  where owner_id = $1 and idempotency_key = any($2::text[])
  union all
  select ${JOB_COLUMNS}, null, null
  from unnest($3::text[], $4::text[]) as asked(type, unique_for)
  join job on job.type = asked.type and job.unfinished_for = asked.unique_for
  where owner_id = $1`;

type ExistingRow = JobRow & { readonly idempotency_key: string | null; readonly input_hash: Buffer | null };

/** @returns for each of the jobs, which are of one owner, the one that stands in its way, in one read */
export async function findExistingJobs(
  database: Pool | PoolClient,
  jobs: readonly NewJob[],
): Promise<(ExistingJob | undefined)[]> {
  const keys = jobs.flatMap(({ idempotencyKey }) => idempotencyKey ?? []);
  const unique = jobs.filter(({ options }) => options?.uniqueFor !== undefined);
  const [first] = jobs;
  if (!first || keys.length + unique.length === 0) return jobs.map(() => undefined);
  const { rows } = await database.query<ExistingRow>({
    name: 'find-existing-jobs',
    text: FIND_EXISTING_JOBS,
    values: [
      first.ownerId,
      keys,
      unique.map(({ type }) => type),
      unique.map(({ options }) => options?.uniqueFor),
    ],
  });
  const byKey = new Map<string, ExistingJob>();
  const byUse = new Map<string, ExistingJob>();
  for (const row of rows) {
    const job = toJobView(row);
    const { idempotency_key: key, input_hash: inputHash } = row;
    if (key !== null) byKey.set(key, { job, sameKey: true, inputHash });
    else byUse.set(useOf(job.type, job.uniqueFor), { job, sameKey: false, inputHash });
  }
  return jobs.map(({ type, idempotencyKey, options }) => {
    const sameKey = idempotencyKey === null ? undefined : byKey.get(idempotencyKey);
    return sameKey ?? byUse.get(useOf(type, options?.uniqueFor ?? null));
  });
}

/** What a job is unique for, within its owner's. */
function useOf(type: string, uniqueFor: string | null): string {
  return `${type} ${uniqueFor ?? ''}`;
}
