import { JOB_STATUSES, type JobStatus } from '@jobber/db/jobs';
import type { Identity } from '@jobber/shared/auth-guard';
import { refuse } from '@jobber/shared/errors';
import type { Pool } from 'pg';
import type { JobTypeCatalog } from '../catalog/job-type-catalog.ts';
import { JOB_COLUMNS, type JobRow, type JobView, toJobView } from '../job-view.ts';
import { checkTags } from './check-options.ts';
import { type OwnerFilter, ownerOf } from './owner-of.ts';

export interface JobFilter extends OwnerFilter {
  readonly status?: readonly JobStatus[];
  /** Names or slugs. */
  readonly type?: readonly string[];
  readonly startedAfter?: Date;
  readonly startedBefore?: Date;
  /** Jobs that have all of these. */
  readonly tags?: readonly string[];
}

export interface JobsPage {
  readonly filter: JobFilter;
  /** 1 to 200. */
  readonly limit: number;
  /** Id of the last job of the page before. */
  readonly before?: number;
}

const MAX_LIMIT = 200;

/** What stands after the job with this id in a list; a job that does not exist stands where its id would. */
const BEGAN_BEFORE = (id: string) => `(started_at, id) < (
    coalesce(
      (select started_at from job where id = ${id}),
      (select started_at from job where id < ${id} order by id desc limit 1)
    ), ${id})`;

/** Of the statuses that GraphQL lets through; without any, of all. */
function statusConditions(statuses: readonly JobStatus[] = []): string[] {
  const wanted = JOB_STATUSES.filter((status) => statuses.includes(status));
  return wanted.length === 0 ? ['true'] : wanted.map((status) => `status = '${status}'`);
}

/** Jobs newest first, a page at a time. @throws AppError 400 INVALID_INPUT, 403 FORBIDDEN, 404 JOB_TYPE_NOT_FOUND */
export async function listJobs(
  { pool, catalog }: { pool: Pool; catalog: JobTypeCatalog },
  identity: Identity,
  { filter, limit, before }: JobsPage,
): Promise<JobView[]> {
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT) {
    refuse('INVALID_INPUT', `limit must be a whole number from 1 to ${MAX_LIMIT}, got ${limit}`, {
      limit: MAX_LIMIT,
    });
  }
  if (before !== undefined && !Number.isSafeInteger(before)) {
    refuse('INVALID_INPUT', `before must be the id of a job, got ${before}`);
  }
  const values: unknown[] = [];
  const conditions: string[] = [];
  function add(value: unknown, condition: (parameter: string) => string): void {
    if (value === undefined) return;
    values.push(value);
    conditions.push(condition(`$${values.length}`));
  }

  const types = filter.type?.length ? await Promise.all(filter.type.map(slugOf)) : undefined;
  add(ownerOf(identity, filter, 'jobs:read'), (id) => `owner_id = ${id}`);
  add(types, (slugs) => `type = any(${slugs}::text[])`);
  add(filter.startedAfter, (time) => `started_at >= ${time}`);
  add(filter.startedBefore, (time) => `started_at < ${time}`);
  add(
    filter.tags?.length ? checkTags(filter.tags) : undefined,
    (tags) => `tags @> ${tags}::text[] and tags <> '{}'`,
  );
  add(before, (id) => BEGAN_BEFORE(`${id}::bigint`));
  values.push(limit);
  const page = `order by job.started_at desc, job.id desc limit $${values.length}`;
  // A page of each status is read from an index of its own; the whole page is made of them.
  const pages = statusConditions(filter.status).map(
    (status) => `(select id from job where ${[status, ...conditions].join(' and ')} ${page})`,
  );
  const { rows } = await pool.query<JobRow>(
    `select ${JOB_COLUMNS} from job join (${pages.join(' union all ')}) page using (id) ${page}`,
    values,
  );
  return rows.map(toJobView);

  async function slugOf(name: string): Promise<string> {
    return (await catalog.find(name)).type.slug;
  }
}
