import type { Identity } from '@jobber/shared/auth-guard';
import { AppError } from '@jobber/shared/errors';
import { createGroupCommit } from '@jobber/shared/group-commit';
import type { Pool } from 'pg';
import type { JobsMetrics } from '../jobs-metrics.ts';
import { type JobView, jobNotFound } from './job-view.ts';

/** Reads a job that the caller may see. @throws AppError 404 JOB_NOT_FOUND */
export type ReadJob = (identity: Identity, id: number) => Promise<JobView>;

const READ_JOBS = `
  select id, owner_id, type, status, size, completed, failed,
    (extract(epoch from started_at) * 1000)::float8 as started_at_ms,
    (extract(epoch from ended_at) * 1000)::float8 as ended_at_ms
  from job where id = any($1::bigint[])`;

/** Reads that arrive together are one query: many submitters poll at the same time. */
export function createReadJob(pool: Pool, metrics: Pick<JobsMetrics, 'batchSize'>): ReadJob {
  const reads = createGroupCommit<number, JobView | undefined>({
    maxBatch: 500,
    concurrency: 4,
    async run(ids) {
      metrics.batchSize.observe({ batch: 'read' }, ids.length);
      const { rows } = await pool.query({ name: 'read-jobs', text: READ_JOBS, values: [ids] });
      const jobs = new Map(rows.map((row) => [Number(row.id), toJobView(row)]));
      return ids.map((id) => jobs.get(id));
    },
  });

  return async function readJob(identity, id) {
    const job = Number.isSafeInteger(id) && id > 0 ? await reads.submit(id) : undefined;
    if (!job || !maySee(identity, job)) throw new AppError('JOB_NOT_FOUND', jobNotFound(id));
    return job;
  };
}

function maySee(identity: Identity, job: JobView): boolean {
  const permission = job.ownerId === identity.userId ? 'jobs:read' : 'jobs:read:any';
  return identity.permissions.includes(permission);
}

interface JobRow {
  id: string;
  owner_id: string;
  type: string;
  status: JobView['status'];
  size: number;
  completed: number;
  failed: number;
  started_at_ms: number;
  ended_at_ms: number | null;
}

function toJobView(row: JobRow): JobView {
  return {
    id: Number(row.id),
    ownerId: row.owner_id,
    type: row.type,
    status: row.status,
    size: row.size,
    completed: row.completed,
    failed: row.failed,
    startedAt: new Date(row.started_at_ms),
    endedAt: row.ended_at_ms === null ? null : new Date(row.ended_at_ms),
  };
}
