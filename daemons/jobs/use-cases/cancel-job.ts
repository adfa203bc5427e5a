import { type Identity, requirePermission } from '@jobber/shared/auth-guard';
import { AppError } from '@jobber/shared/errors';
import type { Logger } from '@jobber/shared/log';
import type { Pool } from 'pg';
import type { Notifications } from '../dispatch/notifications.ts';
import type { JobView } from '../job-view.ts';
import type { JobsMetrics } from '../jobs-metrics.ts';
import { cancelJob as cancelJobRow } from '../transitions/cancel-job.ts';
import type { ReadJob } from './read-jobs.ts';

/**
 * Cancels a job that has not ended. Cancelling a cancelled job again changes nothing and is no error.
 * @throws AppError 404 JOB_NOT_FOUND, 403 FORBIDDEN, 409 JOB_ENDED
 */
export type CancelJob = (identity: Identity, id: number) => Promise<JobView>;

const MAX_TRIES = 3;

export function createCancelJob(parts: {
  pool: Pool;
  readJob: ReadJob;
  notifications: Notifications;
  /** Whether how many tasks of a type may run is limited: a cancelled one makes room for another. */
  isLimited: (type: string) => boolean;
  metrics: Pick<JobsMetrics, 'jobsEnded'>;
  log: Logger;
}): CancelJob {
  const { pool, readJob, notifications, isLimited, metrics, log } = parts;
  async function cancelOnce(job: JobView, by: string): Promise<void> {
    const { id, type } = job;
    if (!(await cancelJobRow(pool, id, by))) return;
    notifications.jobsCancelled([id]);
    notifications.jobsChanged([id]);
    if (isLimited(type)) notifications.tasksReady([type]);
    metrics.jobsEnded.inc({ status: 'CANCELLED' });
    log.info({ jobId: id, by }, 'job cancelled');
  }

  return async function cancelJob(identity, id) {
    let job = await readJob(identity, id);
    requirePermission(identity, job.ownerId === identity.userId ? 'jobs:cancel' : 'jobs:cancel:any');
    // A job that begins a new round in the same moment is cancelled in that.
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      await cancelOnce(job, identity.userId);
      job = await readJob(identity, id);
      if (job.status === 'CANCELLED') return job;
      if (job.endedAt !== null) break;
    }
    throw new AppError('JOB_ENDED', `Job with ID ${id} has ended as ${job.status}`, { status: job.status });
  };
}
