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
  return async function cancelJob(identity, id) {
    const job = await readJob(identity, id);
    requirePermission(identity, job.ownerId === identity.userId ? 'jobs:cancel' : 'jobs:cancel:any');
    if (await cancelJobRow(pool, id, identity.userId)) {
      notifications.jobsCancelled([id]);
      notifications.jobsChanged([id]);
      if (isLimited(job.type)) notifications.tasksReady([job.type]);
      metrics.jobsEnded.inc({ status: 'CANCELLED' });
      log.info({ jobId: id, by: identity.userId }, 'job cancelled');
    }
    const now = await readJob(identity, id);
    if (now.status === 'CANCELLED') return now;
    throw new AppError('JOB_ENDED', `Job with ID ${id} has ended as ${now.status}`, { status: now.status });
  };
}
