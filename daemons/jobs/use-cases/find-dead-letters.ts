import { refuse } from '@jobber/shared/errors';
import type { JobTypeCatalog } from '../catalog/job-type-catalog.ts';
import type { OwnerFilter } from './owner-of.ts';

export interface DeadLetterFilter extends OwnerFilter {
  /** Names or slugs. */
  readonly type?: readonly string[];
  /** Ids of jobs. */
  readonly job?: readonly number[];
  readonly diedAfter?: Date;
  readonly diedBefore?: Date;
  /** A part of the last error, in any case. */
  readonly error?: string;
}

/** A condition on `task`, with the values of its parameters. */
export interface TaskCondition {
  readonly sql: string;
  readonly values: unknown[];
}

const MAX_JOBS = 1_000;
const MAX_ERROR_LENGTH = 500;

/** The dead letters that a filter matches. @throws AppError 400 INVALID_INPUT, 404 JOB_TYPE_NOT_FOUND */
export async function deadLetterCondition(
  catalog: JobTypeCatalog,
  owner: string | undefined,
  filter: DeadLetterFilter,
): Promise<TaskCondition> {
  const { job, error } = filter;
  if (job !== undefined && (job.length > MAX_JOBS || !job.every((id) => Number.isSafeInteger(id) && id > 0)))
    refuse('INVALID_INPUT', `job must be a list of at most ${MAX_JOBS} ids of jobs`, { limit: MAX_JOBS });
  if (error !== undefined && (error.length > MAX_ERROR_LENGTH || error.includes('\0')))
    refuse('INVALID_INPUT', `error must have at most ${MAX_ERROR_LENGTH} characters, and no U+0000`, {
      limit: MAX_ERROR_LENGTH,
    });
  const types = filter.type?.length
    ? await Promise.all(filter.type.map(async (name) => (await catalog.find(name)).type.slug))
    : undefined;
  const values: unknown[] = [];
  const conditions = ["task.state = 'dead'"];
  function add(value: unknown, condition: (parameter: string) => string): void {
    if (value === undefined) return;
    values.push(value);
    conditions.push(condition(`$${values.length}`));
  }
  add(owner, (id) => `task.owner_id = ${id}`);
  add(types, (slugs) => `task.type = any(${slugs}::text[])`);
  add(job?.length ? job : undefined, (ids) => `task.job_id = any(${ids}::bigint[])`);
  add(filter.diedAfter, (time) => `task.died_at >= ${time}`);
  add(filter.diedBefore, (time) => `task.died_at < ${time}`);
  add(error || undefined, (text) => `strpos(lower(task.last_error), lower(${text})) > 0`);
  return { sql: conditions.join(' and '), values };
}

/** Whether a filter leaves out anything at all. */
export function isOpen({ type, job, diedAfter, diedBefore, error }: DeadLetterFilter): boolean {
  return !type?.length && !job?.length && !diedAfter && !diedBefore && !error;
}
