import { createHash } from 'node:crypto';
import { type Identity, requirePermission } from '@jobber/shared/auth-guard';
import { AppError, isAppError, refuse } from '@jobber/shared/errors';
import type { Pool } from 'pg';
import { type AnswerTime, startAnswerTime, timeForTasks } from '../answer-in-time.ts';
import type { JobTypeCatalog } from '../catalog/job-type-catalog.ts';
import { type CheckedInput, type CheckInput, fileUnreadable, MAX_TASKS } from '../input/check-input.ts';
import { resolveData } from '../input/resolve-data.ts';
import type { JobView } from '../job-view.ts';
import { type Acceptance, countTasks, type NewJob } from '../transitions/accept-jobs.ts';
import type { AcceptJob, Settle } from './accept-job.ts';
import { checkKey, checkOptions, type RequestedOptions } from './check-options.ts';
import { type ExistingJob, findExistingJobs } from './find-existing-jobs.ts';

export interface JobRequest extends RequestedOptions {
  /** Name or slug of a job type. */
  readonly name: string;
  readonly data: unknown;
  readonly idempotencyKey?: string | null;
  /** W3C Trace Context of the request, valid. */
  readonly traceparent: string;
}

/** A job that a request has made, or one that there was already. */
export type AcceptedJob = JobView & {
  /** The request made none, because of its idempotency key or because an unfinished job is unique for the same. */
  readonly existing: boolean;
};

/**
 * Accepts a job: when this resolves, it is durably stored with all of its tasks.
 * @throws AppError 403 FORBIDDEN, 404 JOB_TYPE_NOT_FOUND, 400 INVALID_DATA | FILE_UNREADABLE | INVALID_INPUT,
 *   409 IDEMPOTENCY_CONFLICT, 413 TOO_LARGE, 503 UNAVAILABLE when it is not known in time whether the job is stored
 */
export type ExecuteJob = (identity: Identity, request: JobRequest, time?: AnswerTime) => Promise<AcceptedJob>;

/**
 * Accepts many jobs, all or none; the answers are in the order of the requests. Also when it throws it was none, unless
 * it is not known in time: then it is all or none. @throws like ExecuteJob, naming the job
 */
export type ExecuteJobs = (
  identity: Identity,
  requests: readonly JobRequest[],
  time?: AnswerTime,
) => Promise<AcceptedJob[]>;

export interface ExecuteJobParts {
  readonly pool: Pool;
  readonly catalog: JobTypeCatalog;
  readonly checkInput: CheckInput;
  readonly acceptJob: AcceptJob;
}

const MAX_JOBS = 1_000;
/** Refusals of one request that are told in full. */
const MAX_TOLD = 20;
/** An unfinished job that stands in the way may end before it is read; then there is room for the new one. */
const MAX_TRIES = 5;

export function createExecuteJob(parts: ExecuteJobParts): {
  executeJob: ExecuteJob;
  executeJobs: ExecuteJobs;
} {
  const { pool, catalog, checkInput, acceptJob } = parts;

  async function prepare(identity: Identity, request: JobRequest, time: AnswerTime): Promise<NewJob> {
    const key = request.idempotencyKey ?? null;
    const idempotencyKey = key === null ? null : checkKey('idempotencyKey', key);
    const options = checkOptions(request);
    const entry = catalog.known(request.name) ?? (await time.wait(catalog.find(request.name)));
    const checking = checkInput(identity.userId, entry, resolveData(request.data));
    const input: CheckedInput = checking instanceof Promise ? await checking : checking;
    return {
      ...input,
      ownerId: identity.userId,
      type: entry.type.slug,
      idempotencyKey,
      inputHash: idempotencyKey === null ? null : hashInput(entry.type.slug, request.data),
      traceparent: request.traceparent,
      options,
    };
  }

  return {
    async executeJob(identity, request, time = startAnswerTime()) {
      requirePermission(identity, 'jobs:submit');
      const job = await prepare(identity, request, time);
      for (let tries = 0; tries < MAX_TRIES; tries += 1) {
        const acceptance = await timeForTasks(job.tasks.length, time).wait(acceptJob.one(job));
        const stands = acceptance.outcome === 'existing';
        const [existing] = stands ? await time.wait(findExistingJobs(pool, [job])) : [];
        const answer = toAnswer(job, acceptance, existing);
        if (answer) return answer;
      }
      return refuseTooFast();
    },
    async executeJobs(identity, requests, time = startAnswerTime()) {
      requirePermission(identity, 'jobs:submit');
      if (requests.length < 1 || requests.length > MAX_JOBS) {
        refuse('INVALID_INPUT', `One request takes 1 to ${MAX_JOBS} jobs, got ${requests.length}`, {
          limit: MAX_JOBS,
        });
      }
      const jobs = await allOrNone(requests, (request) => prepare(identity, request, time));
      await refuseTwins(jobs);
      refuseTooManyTasks(jobs);
      for (let tries = 0; tries < MAX_TRIES; tries += 1) {
        const storing = acceptJob.together(jobs, settleAll(jobs));
        const answers = await timeForTasks(countTasks(jobs), time).wait(storing);
        if (answers) return answers;
      }
      return refuseTooFast();
    },
  };
}

/** Answers for all of the jobs; undefined when one that stood in the way of any has ended meanwhile. */
function settleAll(jobs: readonly NewJob[]): Settle<AcceptedJob[]> {
  return async function settle(acceptances, database) {
    const standing = acceptances.some(({ outcome }) => outcome === 'existing');
    const existing = standing ? await findExistingJobs(database, jobs) : [];
    const answers = await allOrNone(jobs, (job, index) =>
      toAnswer(job, acceptances[index] as Acceptance, existing[index]),
    );
    return answers.every((answer) => answer !== undefined) ? answers : undefined;
  };
}

/**
 * @returns undefined when the job that stood in the way has ended meanwhile
 * @throws AppError 400 FILE_UNREADABLE, 409 IDEMPOTENCY_CONFLICT
 */
function toAnswer(
  job: NewJob,
  acceptance: Acceptance,
  existing: ExistingJob | undefined,
): AcceptedJob | undefined {
  if (acceptance.outcome === 'accepted') return toAcceptedJob(job, acceptance);
  if (acceptance.outcome === 'upload-gone') throw fileUnreadable(job.uploadName ?? '');
  if (existing?.sameKey && !sameInput(job, existing)) throw keyConflict(existing.job.id);
  return existing && { ...existing.job, existing: true };
}

function refuseTooManyTasks(jobs: readonly NewJob[]): void {
  const tasks = countTasks(jobs);
  if (tasks <= MAX_TASKS) return;
  const message = `The jobs of one request have at most ${MAX_TASKS} tasks together, these would have ${tasks}`;
  refuse('TOO_LARGE', message, { limit: MAX_TASKS, got: tasks });
}

function refuseTooFast(): never {
  return refuse('UNAVAILABLE', 'Jobs that are unique for the same come and go too fast; try again');
}

/** Among themselves, before any of them is stored. */
async function refuseTwins(jobs: readonly NewJob[]): Promise<void> {
  const asked = new Map<string, NewJob>();
  await allOrNone(jobs, (job) => {
    if (job.idempotencyKey === null) return;
    const twin = asked.get(job.idempotencyKey) ?? job;
    asked.set(job.idempotencyKey, twin);
    if (sameInput(job, twin)) return;
    throw new AppError(
      'IDEMPOTENCY_CONFLICT',
      'Another job of this request has the same idempotency key and other input',
    );
  });
}

/** What is wrong with any of them refuses them all; up to 20 refusals are told, with the index of their job. */
async function allOrNone<Item, Result>(
  items: readonly Item[],
  work: (item: Item, index: number) => Result | Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const refusals: { index: number; refusal: AppError }[] = [];
  let index = 0;
  for (const item of items) {
    try {
      const result = work(item, index);
      results.push(result instanceof Promise ? await result : result);
    } catch (error) {
      if (!isAppError(error)) throw error;
      refusals.push({ index, refusal: error });
    }
    index += 1;
  }
  const [first] = refusals;
  if (!first) return results;
  const more = refusals.length === 1 ? '' : ` And ${refusals.length - 1} more of the jobs.`;
  throw new AppError(first.refusal.reason, `Job ${first.index}: ${first.refusal.message}${more}`, {
    jobs: refusals.slice(0, MAX_TOLD).map(({ index, refusal }) => {
      return { index, reason: refusal.reason, message: refusal.message, details: refusal.details ?? null };
    }),
    total: refusals.length,
  });
}

function sameInput(asked: { inputHash: Buffer | null }, stored: { inputHash: Buffer | null }): boolean {
  return asked.inputHash !== null && stored.inputHash !== null && asked.inputHash.equals(stored.inputHash);
}

function keyConflict(jobId: number): AppError {
  return new AppError(
    'IDEMPOTENCY_CONFLICT',
    `The idempotency key has been used for job ${jobId} with other input; take a new key`,
    { jobId },
  );
}

function toAcceptedJob(
  job: NewJob,
  { id, status, startedAt, runAt }: Extract<Acceptance, { outcome: 'accepted' }>,
): AcceptedJob {
  const { ownerId, type, size, options } = job;
  return {
    id,
    ownerId,
    type,
    status,
    size,
    completed: 0,
    failed: 0,
    startedAt,
    endedAt: null,
    runAt,
    priority: options?.priority ?? 0,
    timeoutMs: options?.timeoutMs ?? null,
    maxAttempts: options?.maxAttempts ?? null,
    backoffMs: options?.backoffMs ?? null,
    uniqueFor: options?.uniqueFor ?? null,
    tags: options?.tags ?? [],
    round: 1,
    existing: false,
  };
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
