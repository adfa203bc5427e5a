import { createHash } from 'node:crypto';
import { Job } from '@jobber/db/jobs';
import { type Identity, requirePermission } from '@jobber/shared/auth-guard';
import { AppError, refuse } from '@jobber/shared/errors';
import { createGroupCommit } from '@jobber/shared/group-commit';
import type { Logger } from '@jobber/shared/log';
import type { MikroORM } from '@mikro-orm/postgresql';
import type { Pool } from 'pg';
import type { JobTypeCatalog } from '../catalog/job-type-catalog.ts';
import type { Notifications } from '../dispatch/notifications.ts';
import { type CheckInput, fileUnreadable } from '../input/check-input.ts';
import { resolveData } from '../input/resolve-data.ts';
import type { JobsMetrics } from '../jobs-metrics.ts';
import { type Acceptance, acceptJobs, type NewJob } from '../transitions/accept-jobs.ts';
import { runBatch } from '../transitions/run-batch.ts';
import type { JobView } from './job-view.ts';

export interface JobRequest {
  /** Name or slug of a job type. */
  readonly name: string;
  readonly data: unknown;
  readonly idempotencyKey?: string | null;
}

/**
 * Accepts a job: when this resolves, it is durably stored with all of its tasks.
 * @throws AppError 403 FORBIDDEN, 404 JOB_TYPE_NOT_FOUND, 400 INVALID_DATA | FILE_UNREADABLE | INVALID_INPUT,
 *   409 IDEMPOTENCY_CONFLICT, 413 TOO_LARGE
 */
export type ExecuteJob = (identity: Identity, request: JobRequest) => Promise<JobView>;

export interface ExecuteJobParts {
  readonly orm: MikroORM;
  readonly pool: Pool;
  readonly catalog: JobTypeCatalog;
  readonly notifications: Notifications;
  readonly checkInput: CheckInput;
  readonly metrics: Pick<JobsMetrics, 'jobsAccepted' | 'batchSize'>;
  readonly log: Logger;
}

const MAX_KEY_LENGTH = 255;

export function createExecuteJob(parts: ExecuteJobParts): ExecuteJob {
  const { orm, pool, catalog, notifications, checkInput, metrics, log } = parts;
  const acceptances = createGroupCommit<NewJob, Acceptance>({
    maxBatch: 500,
    concurrency: 2,
    async run(jobs) {
      metrics.batchSize.observe({ batch: 'accept' }, jobs.length);
      const results = await runBatch(jobs, (some) => acceptJobs(pool, some));
      notifications.tasksReady(jobs.map(({ type }) => type));
      return results;
    },
  });

  async function findExisting({ ownerId, idempotencyKey, inputHash }: NewJob): Promise<JobView> {
    const existing = await orm.em.fork().findOneOrFail(Job, { ownerId, idempotencyKey });
    if (inputHash && existing.inputHash && inputHash.equals(Buffer.from(existing.inputHash))) return existing;
    throw new AppError(
      'IDEMPOTENCY_CONFLICT',
      `The idempotency key has been used for job ${existing.id} with other input; take a new key`,
      { jobId: existing.id },
    );
  }

  return async function executeJob(identity, request) {
    requirePermission(identity, 'jobs:submit');
    const idempotencyKey = checkKey(request.idempotencyKey ?? null);
    const entry = await catalog.find(request.name);
    const input = await checkInput(identity.userId, entry, resolveData(request.data));
    const job: NewJob = {
      ...input,
      ownerId: identity.userId,
      type: entry.type.slug,
      idempotencyKey,
      inputHash: idempotencyKey === null ? null : hashInput(entry.type.slug, request.data),
    };
    const acceptance = await acceptances.submit(job);
    if (acceptance.outcome === 'existing') return findExisting(job);
    if (acceptance.outcome === 'upload-gone') throw fileUnreadable(job.uploadName ?? '');
    const { id, startedAt } = acceptance;
    const { ownerId, type, size } = job;
    metrics.jobsAccepted.inc({ type });
    log.debug({ jobId: id, type, size, ownerId }, 'job accepted');
    return {
      id,
      ownerId,
      type,
      status: 'IN_PROGRESS',
      size,
      completed: 0,
      failed: 0,
      startedAt,
      endedAt: null,
      round: 1,
    };
  };
}

function checkKey(key: string | null): string | null {
  if (key === null) return null;
  if (key === '' || key.length > MAX_KEY_LENGTH || /\p{C}/u.test(key)) {
    refuse('INVALID_INPUT', `idempotencyKey must have 1 to ${MAX_KEY_LENGTH} printable characters`, {
      limit: MAX_KEY_LENGTH,
    });
  }
  return key;
}

/** The same request in another order of fields is the same request. */
function hashInput(type: string, data: unknown): Buffer {
  return createHash('sha256')
    .update(type)
    .update('\0')
    .update(JSON.stringify(sortFields(data)))
    .digest();
}

/** Objects become lists of pairs under a mark of their own, so that no list of pairs can pass for an object. */
function sortFields(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortFields);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return { fields: fields.map(([name, field]) => [name, sortFields(field)]) };
}
