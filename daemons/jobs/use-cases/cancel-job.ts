import type { Identity } from '@jobber/shared/auth-guard';
import { AppError, refuse } from '@jobber/shared/errors';
import type { Pool } from 'pg';
import type { Notifications } from '../dispatch/notifications.ts';
import { cancelJob as cancelJobRow } from '../transitions/cancel-job.ts';
import { type JobView, jobNotFound } from './job-view.ts';
import type { ReadJob } from './read-jobs.ts';

/**
 * Cancels a job that has not ended. Cancelling a cancelled job again changes nothing and is no error.
 * @throws AppError 404 JOB_NOT_FOUND, 403 FORBIDDEN, 409 JOB_ENDED
 */
export async function cancelJob(
  { pool, readJob, notifications }: { pool: Pool; readJob: ReadJob; notifications: Notifications },
  identity: Identity,
  id: number,
): Promise<JobView> {
  const job = await readJob(identity, id);
  const permission = job.ownerId === identity.userId ? 'jobs:cancel' : 'jobs:cancel:any';
  if (!identity.permissions.includes(permission)) {
    refuse('FORBIDDEN', `Forbidden: this needs the permission ${permission}`, { permission });
  }
  const cancelled = await cancelJobRow(pool, id);
  if (cancelled) notifications.jobsChanged([id]);
  const now = await readJob(identity, id);
  if (now.status === 'CANCELLED') return now;
  throw new AppError('JOB_ENDED', `${jobNotFound(id).replace(' not found', '')} has ended as ${now.status}`, {
    status: now.status,
  });
}
