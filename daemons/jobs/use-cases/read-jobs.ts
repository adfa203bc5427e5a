import type { Identity } from '@jobber/shared/auth-guard';
import { AppError } from '@jobber/shared/errors';
import { createGroupCommit } from '@jobber/shared/group-commit';
import type { Pool } from 'pg';
import { JOB_COLUMNS, type JobRow, type JobView, jobNotFound, toJobView } from '../job-view.ts';
import type { JobsMetrics } from '../jobs-metrics.ts';
import { maySee } from './owner-of.ts';

/** Reads a job that the caller may see. @throws AppError 404 JOB_NOT_FOUND */
export type ReadJob = (identity: Identity, id: number) => Promise<JobView>;

const READ_JOBS = `select ${JOB_COLUMNS} from job where id = any($1::bigint[])`;

/** Reads that arrive together are one query: many submitters poll at the same time. */
export function createReadJob(pool: Pool, metrics: Pick<JobsMetrics, 'batchSize'>): ReadJob {
  const reads = createGroupCommit<number, JobView | undefined>({
    maxBatch: 500,
    concurrency: 4,
    async run(ids) {
      metrics.batchSize.observe({ batch: 'read' }, ids.length);
      const { rows } = await pool.query<JobRow>({ name: 'read-jobs', text: READ_JOBS, values: [ids] });
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
