import { type Identity, requirePermission } from '@jobber/shared/auth-guard';
import { AppError, refuse } from '@jobber/shared/errors';
import type { Pool } from 'pg';
import { type AnswerTime, startAnswerTime, timeForTasks } from '../answer-in-time.ts';
import type { JobTypeCatalog } from '../catalog/job-type-catalog.ts';
import type { RedriveRefusal, TaskRef } from '../transitions/redrive-tasks.ts';
import { deadLetterId, parseDeadLetterId } from './dead-letter-view.ts';
import { type DeadLetterFilter, deadLetterCondition, isOpen } from './find-dead-letters.ts';
import { ownerOf } from './owner-of.ts';
import type { StartRounds } from './start-rounds.ts';

export interface RedriveRequest {
  /** Dead letters by name, for example 12/3; or a filter. */
  readonly ids?: readonly string[];
  readonly filter?: DeadLetterFilter;
  /** Only those of jobs after the one with this id; with a filter. */
  readonly after?: number;
  /** A filter that matches everything is meant. */
  readonly all: boolean;
  /** Nothing is changed. */
  readonly dryRun: boolean;
}

export interface Redrive {
  readonly matched: number;
  readonly redriven: number;
  readonly items: number;
  readonly jobs: readonly number[];
  readonly refused: readonly {
    readonly id: string;
    readonly reason: RedriveRefusal;
    readonly message: string;
  }[];
  readonly remaining: number;
  /** Id of the last job that was looked at; null: of none. */
  readonly last: number | null;
}

export interface RedriveParts {
  readonly pool: Pool;
  readonly catalog: JobTypeCatalog;
  readonly startRounds: StartRounds;
}

/** Dead letters of one request, give or take those of the last job: a job's are not parted. */
const MAX_REDRIVEN = 10_000;
/** Of those that are left to further requests so many are counted: this one is answered in time, however many there are. */
const MAX_LEFT = 40_000;
const MAX_IDS = 1_000;
const MAX_TOLD = { jobs: 1_000, refused: 100 };

const MESSAGES: Readonly<Record<RedriveRefusal, string>> = {
  NOT_DEAD: 'It is no dead letter (any more)',
  JOB_CANCELLED: 'Its job was cancelled; submit the job again',
  JOB_UNFINISHED: 'Its job has not ended; wait until it has, or cancel it',
  INPUT_GONE: 'The file that its items are in is no longer kept; upload it again, as a new job',
  UNIQUE_CONFLICT: 'An unfinished job is unique for the same; wait until it has ended',
};

/** A filter takes only what can be run again: jobs that have failed, whose input is still kept. */
const CAN_BE_REDRIVEN = `exists (
  select from job left join upload on upload.name = job.upload_name
  where job.id = task.job_id and job.status = 'FAILED' and (task.items is not null or upload.removed_at is null))`;

/**
 * Starts new rounds with dead letters.
 * @throws AppError 400 INVALID_INPUT, 403 FORBIDDEN, 404 NOT_FOUND, 503 UNAVAILABLE when it is not known in time what has begun
 */
export async function redriveDeadLetters(
  parts: RedriveParts,
  identity: Identity,
  { ids, filter = {}, after, all, dryRun }: RedriveRequest,
  time: AnswerTime = startAnswerTime(),
): Promise<Redrive> {
  const finding = ids
    ? findNamed(parts.pool, identity, ids, isOpen(filter) && after === undefined)
    : findMatching(parts, identity, filter, { after: after ?? 0, all });
  const { matched, tasks } = await time.wait(finding);
  const starting = parts.startRounds(tasks, { by: identity.userId, dryRun });
  const { results, jobs } = await timeForTasks(tasks.length, time).wait(starting);
  const refused = results.flatMap(({ refusal, ...ref }) =>
    refusal === null ? [] : [{ id: deadLetterId(ref), reason: refusal, message: MESSAGES[refusal] }],
  );
  return {
    matched,
    redriven: results.length - refused.length,
    items: results.reduce((sum, { items }) => sum + items, 0),
    jobs: jobs.slice(0, MAX_TOLD.jobs).map(({ id }) => id),
    refused: refused.slice(0, MAX_TOLD.refused),
    remaining: matched - results.length,
    last: results.at(-1)?.jobId ?? null,
  };
}

interface Found {
  readonly matched: number;
  /** In the order of their jobs. */
  readonly tasks: readonly TaskRef[];
}

async function findNamed(
  pool: Pool,
  identity: Identity,
  ids: readonly string[],
  alone: boolean,
): Promise<Found> {
  requirePermission(identity, 'jobs:retry');
  if (!alone) refuse('INVALID_INPUT', 'ids and filter must not be given together');
  if (ids.length < 1 || ids.length > MAX_IDS) {
    refuse('INVALID_INPUT', `ids must name 1 to ${MAX_IDS} dead letters, got ${ids.length}`, {
      limit: MAX_IDS,
    });
  }
  const tasks = [...new Set(ids)].map(parseDeadLetterId);
  const jobIds = tasks.map(({ jobId }) => jobId);
  const { rows } = await pool.query<{ id: string; owner_id: string }>(
    'select id, owner_id from job where id = any($1::bigint[])',
    [jobIds],
  );
  const owners = new Map(rows.map((row) => [Number(row.id), row.owner_id]));
  for (const ref of tasks) {
    const own = owners.get(ref.jobId) === identity.userId;
    const seen = own || (owners.has(ref.jobId) && identity.permissions.includes('jobs:read:any'));
    if (!seen) throw new AppError('NOT_FOUND', `Dead letter ${deadLetterId(ref)} not found`);
    if (!own) requirePermission(identity, 'jobs:retry:any');
  }
  return { matched: tasks.length, tasks: tasks.sort((a, b) => a.jobId - b.jobId || a.seq - b.seq) };
}

async function findMatching(
  { pool, catalog }: RedriveParts,
  identity: Identity,
  filter: DeadLetterFilter,
  { after, all }: { after: number; all: boolean },
): Promise<Found> {
  const owner = ownerOf(identity, filter, 'jobs:retry');
  if (isOpen(filter) && !all) {
    refuse('INVALID_INPUT', 'The filter matches every dead letter; say all: true if that is meant');
  }
  if (!Number.isSafeInteger(after) || after < 0)
    refuse('INVALID_INPUT', `after must be the id of a job, got ${after}`);
  const { sql, values } = await deadLetterCondition(catalog, owner, filter);
  values.push(after);
  const where = `${sql} and task.job_id > $${values.length}::bigint and ${CAN_BE_REDRIVEN}`;
  const { rows } = await pool.query<{ left: number; job_id: string; seq: number }>(
    `with last as materialized (
       select max(job_id) as id
       from (select job_id from task where ${where} order by job_id, seq limit ${MAX_REDRIVEN}) first
     )
     select job_id, seq, (
         select count(*)::int
         from (select from task where ${where} and job_id > (select id from last) limit ${MAX_LEFT}) later
       ) as left
     from task where ${where} and job_id <= (select id from last)
     order by job_id, seq`,
    values,
  );
  const tasks = rows.map((row) => ({ jobId: Number(row.job_id), seq: row.seq }));
  return { matched: tasks.length + (rows[0]?.left ?? 0), tasks };
}
