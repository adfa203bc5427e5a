import { JOB_STATUSES, type JobStatus } from '@jobber/db/jobs';
import type { Identity } from '@jobber/shared/auth-guard';
import { refuse } from '@jobber/shared/errors';
import { checkLimit } from '@jobber/shared/paging';
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

/** Where the jobs of a page are looked for: all jobs, or those of one tag. */
const SOURCES = { job: { id: 'job.id' }, job_tag: { id: 'job_tag.job_id' } } as const;
type Source = keyof typeof SOURCES;

/** A condition on the rows of a source, in a page of this status. */
type Condition = (source: Source, status: JobStatus | undefined) => string;

/** What stands after the job with this id in a list; a job that does not exist stands where its id would. */
function beganBefore(source: Source, id: string): string {
  return `(${source}.started_at, ${SOURCES[source].id}) < (
    coalesce(
      (select started_at from job where id = ${id}),
      (select started_at from job where id < ${id} order by id desc limit 1)
    ), ${id})`;
}

/**
 * A page of the jobs of one status, or of any: each is read from the end of an index of its own. Most tagged jobs are
 * completed; where the others are looked for, in an index of few, their tags stand as well.
 */
function pageOf(
  status: JobStatus | undefined,
  conditions: readonly Condition[],
  tags: TagParameters,
): string {
  const source = tags && (status ?? 'COMPLETED') === 'COMPLETED' ? 'job_tag' : 'job';
  const all = [
    ...conditions.map((condition) => condition(source, status)),
    ...(source === 'job_tag' ? hasTags(tags, status) : hasStatus(status, tags)),
  ];
  return `(
    select ${SOURCES[source].id} from ${source} where ${all.join(' and ') || 'true'}
    order by ${source}.started_at desc, ${SOURCES[source].id} desc limit $1)`;
}

/** The placeholders of the tags; undefined: of no tags in particular. */
type TagParameters = readonly string[] | undefined;

function hasTags(tags: TagParameters, status: JobStatus | undefined): string[] {
  const [first, ...more] = tags ?? [];
  return [
    `job_tag.tag = ${first}`,
    ...more.map(
      (tag) => `exists (select from job_tag other where other.tag = ${tag}
        and other.started_at = job_tag.started_at and other.job_id = job_tag.job_id)`,
    ),
    // As a value, not as a join: jobs are looked at one after the other until the page is full. And as one of no other
    // status, because it is expected then that most are.
    ...(status ? [`(select status from job where id = job_tag.job_id) <> all('{${others(status)}}')`] : []),
  ];
}

function others(status: JobStatus): string {
  return JOB_STATUSES.filter((other) => other !== status).join();
}

function hasStatus(status: JobStatus | undefined, tags: TagParameters): string[] {
  return [
    ...(status ? [`status = '${status}'`] : []),
    ...(tags ? [`tags @> array[${tags.join()}]::text[] and tags <> '{}'`] : []),
  ];
}

/** Of the statuses that GraphQL lets through; without any, of all. */
function pagesOf(statuses: readonly JobStatus[] = []): (JobStatus | undefined)[] {
  const wanted = JOB_STATUSES.filter((status) => statuses.includes(status));
  return wanted.length === 0 ? [undefined] : wanted;
}

/** Jobs newest first, a page at a time. @throws AppError 400 INVALID_INPUT, 403 FORBIDDEN, 404 JOB_TYPE_NOT_FOUND */
export async function listJobs(
  { pool, catalog }: { pool: Pool; catalog: JobTypeCatalog },
  identity: Identity,
  { filter, limit, before }: JobsPage,
): Promise<JobView[]> {
  checkLimit(limit, MAX_LIMIT);
  if (before !== undefined && !Number.isSafeInteger(before)) {
    refuse('INVALID_INPUT', `before must be the id of a job, got ${before}`);
  }
  const values: unknown[] = [limit];
  const conditions: Condition[] = [];
  function parameter(value: unknown): string {
    values.push(value);
    return `$${values.length}`;
  }
  function add(
    value: unknown,
    condition: (parameter: string, ...where: Parameters<Condition>) => string,
  ): void {
    if (value === undefined) return;
    const name = parameter(value);
    conditions.push((...where) => condition(name, ...where));
  }

  const types = filter.type?.length ? await Promise.all(filter.type.map(slugOf)) : undefined;
  add(ownerOf(identity, filter, 'jobs:read'), (id, source) => `${source}.owner_id = ${id}`);
  // An expression keeps to the index of the status, where the type stands as well: that of the
  // type has all completed jobs, too.
  add(types, (slugs, source, status) => {
    const column = (status ?? 'COMPLETED') === 'COMPLETED' ? `${source}.type` : `(${source}.type || '')`;
    return `${column} = any(${slugs}::text[])`;
  });
  add(filter.startedAfter, (time, source) => `${source}.started_at >= ${time}`);
  add(filter.startedBefore, (time, source) => `${source}.started_at < ${time}`);
  add(before, (id, source) => beganBefore(source, `${id}::bigint`));
  const tags = filter.tags?.length ? checkTags(filter.tags).map(parameter) : undefined;
  const pages = pagesOf(filter.status).map((status) => pageOf(status, conditions, tags));
  const { rows } = await pool.query<JobRow>(
    `select ${JOB_COLUMNS} from job join (${pages.join(' union all ')}) page (id) using (id)
    order by job.started_at desc, job.id desc limit $1`,
    values,
  );
  return rows.map(toJobView);

  async function slugOf(name: string): Promise<string> {
    return (await catalog.find(name)).type.slug;
  }
}
