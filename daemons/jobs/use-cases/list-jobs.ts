import { Job, type JobStatus } from '@jobber/db/jobs';
import { type Identity, requirePermission } from '@jobber/shared/auth-guard';
import { refuse } from '@jobber/shared/errors';
import type { FilterQuery } from '@mikro-orm/core';
import type { MikroORM } from '@mikro-orm/postgresql';
import type { JobTypeCatalog } from '../catalog/job-type-catalog.ts';
import type { JobView } from './job-view.ts';

export interface JobFilter {
  readonly status?: readonly JobStatus[];
  /** Names or slugs. */
  readonly type?: readonly string[];
  /** UUID of a user. */
  readonly owner?: string;
  readonly allOwners?: boolean;
  readonly startedAfter?: Date;
  readonly startedBefore?: Date;
}

export interface JobsPage {
  readonly filter: JobFilter;
  /** 1 to 200. */
  readonly limit: number;
  /** Id of the last job of the page before. */
  readonly before?: number;
}

const MAX_LIMIT = 200;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Jobs newest first, a page at a time. @throws AppError 400 INVALID_INPUT, 403 FORBIDDEN */
export async function listJobs(
  { orm, catalog }: { orm: MikroORM; catalog: JobTypeCatalog },
  identity: Identity,
  page: JobsPage,
): Promise<JobView[]> {
  const { filter, limit, before } = page;
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT) {
    refuse('INVALID_INPUT', `limit must be a whole number from 1 to ${MAX_LIMIT}, got ${limit}`, {
      limit: MAX_LIMIT,
    });
  }
  if (before !== undefined && !Number.isSafeInteger(before)) {
    refuse('INVALID_INPUT', `before must be the id of a job, got ${before}`);
  }
  const where: FilterQuery<Job> = { ...ownerOf(identity, filter) };
  if (before !== undefined) where.id = { $lt: before };
  if (filter.status?.length) where.status = { $in: [...filter.status] };
  if (filter.type?.length) where.type = { $in: await Promise.all(filter.type.map(slugOf)) };
  if (filter.startedAfter ?? filter.startedBefore) {
    where.startedAt = {
      ...(filter.startedAfter && { $gte: filter.startedAfter }),
      ...(filter.startedBefore && { $lt: filter.startedBefore }),
    };
  }
  return orm.em.fork().find(Job, where, { orderBy: { id: 'desc' }, limit, disableIdentityMap: true });

  async function slugOf(name: string): Promise<string> {
    return (await catalog.find(name)).type.slug;
  }
}

function ownerOf(identity: Identity, filter: JobFilter): { ownerId?: string } {
  const others = filter.allOwners === true || (filter.owner ?? identity.userId) !== identity.userId;
  requirePermission(identity, others ? 'jobs:read:any' : 'jobs:read');
  if (filter.owner !== undefined && !UUID.test(filter.owner)) {
    refuse('INVALID_INPUT', 'owner must be the id of a user');
  }
  if (filter.owner !== undefined) return { ownerId: filter.owner };
  return filter.allOwners === true ? {} : { ownerId: identity.userId };
}
