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
/** Each of so many types has a page of its own; where more are asked for together, most jobs are of one of them. */
const MAX_PAGED_TYPES = 16;

/** Where the jobs of a page are looked for: all jobs, those of one tag, or those in progress, which have no index among all. */
const SOURCES = {
  job: { id: 'job.id' },
  job_tag: { id: 'job_tag.job_id' },
  job_in_progress: { id: 'job_in_progress.job_id' },
} as const;
type Source = keyof typeof SOURCES;

/** What one page has: the jobs of one status, or of any; and of the nth of the types that were asked for, or of all. */
interface Part {
  readonly status: JobStatus | undefined;
  readonly nthType?: number;
}

/** A condition on the rows of a source. */
type Condition = (source: Source, part: Part) => string;

/** What stands after the job with this id in a list; a job that does not exist stands where its id would. */
function beganBefore(source: Source, id: string): string {
  return `(${source}.started_at, ${SOURCES[source].id}) < (
    coalesce(
      (select started_at from job where id = ${id}),
      (select started_at from job where id < ${id} order by id desc limit 1)
    ), ${id})`;
}

/** Most jobs are completed; those of the other statuses are few, and have indexes of their own. */
function mayBeCompleted({ status }: Part): boolean {
  return (status ?? 'COMPLETED') === 'COMPLETED';
}

/**
 * Only the jobs of one type stand in the order of a list in an index. Where the status has an index, the type stands there
 * as well: an expression keeps to it, while that of the type has all completed jobs, too. Of a "coalesce" half the rows are
 * expected to be, so that they are read in order until the page is full, and not all of them sorted.
 */
function isOfType(slugs: string, source: Source, part: Part): string {
  if (part.nthType !== undefined) return `${source}.type = (${slugs}::text[])[${part.nthType}]`;
  const isOne = `${source}.type = any(${slugs}::text[])`;
  return mayBeCompleted(part) ? isOne : `coalesce(${isOne}, false)`;
}

/**
 * A page of a part of the jobs: each is read from the end of an index of its own. Where tagged jobs that are not completed
 * are looked for, in an index of few, their tags stand as well.
 */
function pageOf(part: Part, conditions: readonly Condition[], tags: TagParameters): string {
  const { status } = part;
  const source = sourceOf(part, tags);
  const all = [
    ...conditions.map((condition) => condition(source, part)),
    ...(source === 'job_tag' ? hasTags(tags, status) : hasStatus(source, status, tags)),
  ];
  return `(
    select ${SOURCES[source].id}, ${source}.started_at from ${source} where ${all.join(' and ') || 'true'}
    order by ${source}.started_at desc, ${SOURCES[source].id} desc limit $1)`;
}

/** The placeholders of the tags; undefined: of no tags in particular. */
type TagParameters = readonly string[] | undefined;

function sourceOf(part: Part, tags: TagParameters): Source {
  if (part.status === 'IN_PROGRESS') return 'job_in_progress';
  return tags && mayBeCompleted(part) ? 'job_tag' : 'job';
}

function hasTags(tags: TagParameters, status: JobStatus | undefined): string[] {
  const [first, ...more] = tags ?? [];
  return [
    `job_tag.tag = ${first}`,
    ...more.map(
      (tag) => `exists (select from job_tag other where other.tag = ${tag}
        and other.started_at = job_tag.started_at and other.job_id = job_tag.job_id)`,
    ),
    // As a value, not as a join: jobs are looked at one after the other until the page is full.
    ...(status ? [hasOnlyStatus('(select status from job where id = job_tag.job_id)', status)] : []),
  ];
}

/** As one of no other status: it is expected then that most are, and the first that are found fill the page. */
function hasOnlyStatus(column: string, status: JobStatus): string {
  return `${column} <> all('{${JOB_STATUSES.filter((other) => other !== status).join()}}')`;
}

/** In a source that is not that of one tag. */
function hasStatus(source: Source, status: JobStatus | undefined, tags: TagParameters): string[] {
  const tagged = tags ? [`tags @> array[${tags.join()}]::text[]`] : [];
  // All of them are, and those without tags have null: what has the tags is in the index of those that have some.
  if (source === 'job_in_progress') return tagged;
  return [
    ...(status
      ? [status === 'COMPLETED' ? hasOnlyStatus('status', status) : `listed_status = '${status}'`]
      : []),
    ...tagged,
    ...(tags ? [`tags <> '{}'`] : []),
  ];
}

/** Of the statuses that GraphQL lets through; without any, of all. */
function partsOf(statuses: readonly JobStatus[] = [], types: readonly string[] = []): Part[] {
  const wanted = JOB_STATUSES.filter((status) => statuses.includes(status)).map((status) => ({ status }));
  const parts: Part[] = wanted.length === 0 ? [{ status: undefined }] : wanted;
  if (types.length === 0 || types.length > MAX_PAGED_TYPES) return parts;
  return parts.flatMap((part) =>
    mayBeCompleted(part) ? types.map((_, n) => ({ ...part, nthType: n + 1 })) : [part],
  );
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

  const types = filter.type?.length ? [...new Set(await Promise.all(filter.type.map(slugOf)))] : undefined;
  add(ownerOf(identity, filter, 'jobs:read'), (id, source) => `${source}.owner_id = ${id}`);
  add(types, isOfType);
  add(filter.startedAfter, (time, source) => `${source}.started_at >= ${time}`);
  add(filter.startedBefore, (time, source) => `${source}.started_at < ${time}`);
  add(before, (id, source) => beganBefore(source, `${id}::bigint`));
  const tags = filter.tags?.length ? checkTags(filter.tags).map(parameter) : undefined;
  const pages = partsOf(filter.status, types).map((part) => pageOf(part, conditions, tags));
  const { rows } = await pool.query<JobRow>(
    `select ${JOB_COLUMNS} from job join (
      select id from (${pages.join(' union all ')}) found (id, started_at)
      order by started_at desc, id desc limit $1
    ) page using (id)
    order by job.started_at desc, job.id desc`,
    values,
  );
  return rows.map(toJobView);

  async function slugOf(name: string): Promise<string> {
    return (await catalog.find(name)).type.slug;
  }
}
