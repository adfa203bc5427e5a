import { createHash } from 'node:crypto';
import { Job } from '@jobber/db/jobs';
import { type Identity, requirePermission } from '@jobber/shared/auth-guard';
import { AppError, isAppError, refuse } from '@jobber/shared/errors';
import type { MikroORM } from '@mikro-orm/postgresql';
import { type AnswerTime, startAnswerTime } from '../answer-in-time.ts';
import type { JobTypeCatalog } from '../catalog/job-type-catalog.ts';
import { type CheckInput, fileUnreadable } from '../input/check-input.ts';
import { resolveData } from '../input/resolve-data.ts';
import type { JobView } from '../job-view.ts';
import type { Acceptance, NewJob } from '../transitions/accept-jobs.ts';
import type { AcceptJob } from './accept-job.ts';
import { checkKey, checkOptions, type RequestedOptions } from './check-options.ts';

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

/** Accepts many jobs, all or none; the answers are in the order of the requests. @throws like ExecuteJob, naming the job */
export type ExecuteJobs = (
  identity: Identity,
  requests: readonly JobRequest[],
  time?: AnswerTime,
) => Promise<AcceptedJob[]>;

export interface ExecuteJobParts {
  readonly orm: MikroORM;
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
  const { orm, catalog, checkInput, acceptJob } = parts;

  async function prepare(identity: Identity, request: JobRequest, time: AnswerTime): Promise<NewJob> {
    const key = request.idempotencyKey ?? null;
    const idempotencyKey = key === null ? null : checkKey('idempotencyKey', key);
    const options = checkOptions(request);
    const entry = await time.wait(catalog.find(request.name));
    const input = await checkInput(identity.userId, entry, resolveData(request.data));
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

  /** @returns undefined when the job that stood in the way has ended meanwhile */
  async function findExisting(job: NewJob): Promise<AcceptedJob | undefined> {
    const { ownerId, type, idempotencyKey, options } = job;
    const em = orm.em.fork();
    const sameKey = idempotencyKey === null ? null : await em.findOne(Job, { ownerId, idempotencyKey });
    if (sameKey) return sameRequest(job, sameKey);
    const uniqueFor = options?.uniqueFor;
    const unique = uniqueFor === undefined ? null : { ownerId, type, uniqueFor, endedAt: null };
    const unfinished = unique && (await em.findOne(Job, unique));
    return unfinished ? { ...unfinished, existing: true } : undefined;
  }

  /** The jobs that have the idempotency keys of these, which are of one owner, by key. */
  async function findSameKeys(jobs: readonly NewJob[]): Promise<Map<string | null, Job>> {
    const keys = jobs.flatMap(({ idempotencyKey }) => idempotencyKey ?? []);
    const ownerId = jobs[0]?.ownerId;
    if (keys.length === 0 || ownerId === undefined) return new Map();
    const used = await orm.em.fork().find(Job, { ownerId, idempotencyKey: keys });
    return new Map(used.map((job) => [job.idempotencyKey, job]));
  }

  /** Before any of them is stored. */
  async function refuseConflicts(jobs: readonly NewJob[]): Promise<void> {
    const used = await findSameKeys(jobs);
    const asked = new Map<string, NewJob>();
    await allOrNone(jobs, async ({ idempotencyKey, inputHash }, index) => {
      if (idempotencyKey === null) return;
      const before = used.get(idempotencyKey);
      if (before) sameRequest({ inputHash }, before);
      const twin = asked.get(idempotencyKey);
      if (twin && !sameInput(inputHash, twin.inputHash)) {
        throw new AppError(
          'IDEMPOTENCY_CONFLICT',
          'Another job of this request has the same idempotency key and other input',
        );
      }
      asked.set(idempotencyKey, jobs[index] as NewJob);
    });
  }

  async function answer(job: NewJob, first: Acceptance, time: AnswerTime): Promise<AcceptedJob> {
    let acceptance = first;
    for (let tries = 1; ; tries += 1) {
      if (acceptance.outcome === 'accepted') return toAcceptedJob(job, acceptance);
      if (acceptance.outcome === 'upload-gone') throw fileUnreadable(job.uploadName ?? '');
      const existing = await time.wait(findExisting(job));
      if (existing) return existing;
      if (tries === MAX_TRIES)
        refuse('UNAVAILABLE', 'Jobs that are unique for the same come and go too fast; try again');
      acceptance = await time.wait(acceptJob.one(job));
    }
  }

  return {
    async executeJob(identity, request, time = startAnswerTime()) {
      requirePermission(identity, 'jobs:submit');
      const job = await prepare(identity, request, time);
      return await answer(job, await time.wait(acceptJob.one(job)), time);
    },
    async executeJobs(identity, requests, time = startAnswerTime()) {
      requirePermission(identity, 'jobs:submit');
      if (requests.length < 1 || requests.length > MAX_JOBS) {
        refuse('INVALID_INPUT', `One request takes 1 to ${MAX_JOBS} jobs, got ${requests.length}`, {
          limit: MAX_JOBS,
        });
      }
      const jobs = await allOrNone(requests, (request) => prepare(identity, request, time));
      await time.wait(refuseConflicts(jobs));
      const acceptances = await time.wait(acceptJob.together(jobs));
      // In one read: a request that is sent again finds all of its jobs.
      const existing = jobs.filter((_, index) => acceptances[index]?.outcome === 'existing');
      const sameKeys = await time.wait(findSameKeys(existing));
      return await allOrNone(jobs, async (job, index) => {
        const acceptance = acceptances[index] as Acceptance;
        const sameKey = acceptance.outcome === 'existing' && sameKeys.get(job.idempotencyKey);
        return sameKey ? sameRequest(job, sameKey) : await answer(job, acceptance, time);
      });
    },
  };
}

/** What is wrong with any of them refuses them all; up to 20 refusals are told, with the index of their job. */
async function allOrNone<Item, Result>(
  items: readonly Item[],
  work: (item: Item, index: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const refusals: { index: number; refusal: AppError }[] = [];
  for (const [index, item] of items.entries()) {
    try {
      results.push(await work(item, index));
    } catch (error) {
      if (!isAppError(error)) throw error;
      refusals.push({ index, refusal: error });
    }
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

/** @throws AppError 409 IDEMPOTENCY_CONFLICT when the key of `stored` was used for other input */
function sameRequest({ inputHash }: Pick<NewJob, 'inputHash'>, stored: Job): AcceptedJob {
  if (!sameInput(inputHash, stored.inputHash)) throw keyConflict(stored.id);
  return { ...stored, existing: true };
}

function sameInput(asked: Buffer | null, stored: Uint8Array | null): boolean {
  return asked !== null && stored !== null && asked.equals(Buffer.from(stored));
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
