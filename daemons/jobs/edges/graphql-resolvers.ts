import { callerOf } from '@jobber/shared/auth-guard';
import { type ClassifyError, isAppError } from '@jobber/shared/errors';
import type { Resolver, Resolvers } from '@jobber/shared/graphql';
import { newTraceparent, readTraceparent } from '@jobber/shared/trace-context';
import type { Context } from 'hono';
import type { Pool } from 'pg';
import { answerInTime, startAnswerTime } from '../answer-in-time.ts';
import { type JobTypeCatalog, OFFER_FRESH_MS } from '../catalog/job-type-catalog.ts';
import type { JobsMetrics } from '../jobs-metrics.ts';
import type { ObjectStorage } from '../uploads/object-storage.ts';
import type { CancelJob } from '../use-cases/cancel-job.ts';
import type { ExecuteJob, ExecuteJobs } from '../use-cases/execute-job.ts';
import type { DeadLetterFilter } from '../use-cases/find-dead-letters.ts';
import { listDeadLetters, readDeadLetter } from '../use-cases/list-dead-letters.ts';
import { type JobFilter, listJobs } from '../use-cases/list-jobs.ts';
import type { ReadJob } from '../use-cases/read-jobs.ts';
import { redriveDeadLetters } from '../use-cases/redrive-dead-letters.ts';
import type { RetryJob } from '../use-cases/retry-job.ts';
import type { StartRounds } from '../use-cases/start-rounds.ts';
import { createAnswerBudgets } from './answer-budget.ts';
import { createDeadLetterPresenter } from './present-dead-letter.ts';
import { createJobPresenter } from './present-job.ts';

export interface JobsResolverParts {
  readonly pool: Pool;
  readonly catalog: JobTypeCatalog;
  readonly storage: ObjectStorage;
  readonly executeJob: ExecuteJob;
  readonly executeJobs: ExecuteJobs;
  readonly readJob: ReadJob;
  readonly cancelJob: CancelJob;
  readonly retryJob: RetryJob;
  readonly startRounds: StartRounds;
  readonly metrics: Pick<JobsMetrics, 'requestSeconds'>;
  readonly classify: ClassifyError;
}

/** Null and absent mean the same in GraphQL's arguments. */
type Optional<T> = { readonly [K in keyof T]?: T[K] | null };

export function jobsResolvers(parts: JobsResolverParts): Resolvers {
  const { catalog, metrics, classify } = parts;
  const budgetOf = createAnswerBudgets();
  const { presentJob, presentJobs } = createJobPresenter(parts, budgetOf);
  const presentDeadLetter = createDeadLetterPresenter(parts, presentJob, budgetOf);

  function measured(operation: string, resolver: Resolver): Resolver {
    return async (args, c) => {
      const stop = metrics.requestSeconds.startTimer({ edge: 'graphql', operation });
      try {
        const answer = await resolver(args, c);
        stop({ outcome: 'ok' });
        return answer;
      } catch (error) {
        stop({ outcome: (isAppError(error) ? error : classify(error))?.reason ?? 'INTERNAL' });
        throw error;
      }
    };
  }

  function inTime(resolver: (args: Parameters<Resolver>[0], c: Context) => Promise<unknown>): Resolver {
    return (args, c) => answerInTime(resolver(args, c));
  }

  const resolvers: Resolvers = {
    job: inTime(async ({ id }: { id: number }, c) =>
      presentJob(await parts.readJob(await callerOf(c).identity(), id)),
    ),
    jobs: inTime(
      async (args: { filter?: Optional<JobFilter> | null; limit: number; before?: number | null }, c) => {
        const identity = await callerOf(c).identity();
        const filter = withoutNulls(args.filter ?? {}) as JobFilter;
        const page = { filter, limit: args.limit, ...(args.before != null && { before: args.before }) };
        const jobs = await listJobs(parts, identity, page);
        return presentJobs(jobs);
      },
    ),
    jobsMetadata: inTime(async (_args, c) => {
      await callerOf(c).identity();
      const now = Date.now();
      const types = await catalog.all();
      return types.map((type) => ({
        ...type,
        timeout: type.timeoutMs,
        available: now - type.offeredAt.getTime() < OFFER_FRESH_MS,
      }));
    }),
    deadLetters: inTime(
      async (
        args: { filter?: Optional<DeadLetterFilter> | null; limit: number; before?: string | null },
        c,
      ) => {
        const identity = await callerOf(c).identity();
        const filter = withoutNulls(args.filter ?? {}) as DeadLetterFilter;
        const page = { filter, limit: args.limit, ...(args.before != null && { before: args.before }) };
        const letters = await listDeadLetters(parts, identity, page);
        return Promise.all(letters.map((letter) => presentDeadLetter(letter, identity, c)));
      },
    ),
    deadLetter: inTime(async ({ id }: { id: string }, c) => {
      const identity = await callerOf(c).identity();
      return presentDeadLetter(await readDeadLetter(parts, identity, id), identity, c);
    }),
    // To check a large file or to change many tasks takes its time; the steps that wait for others have limits of their own.
    async executeJob({ executeJobInput }, c) {
      const time = startAnswerTime();
      const identity = await time.wait(callerOf(c).identity());
      const request = { ...executeJobInput, traceparent: traceOf(c) };
      return presentJob(await parts.executeJob(identity, request, time));
    },
    async executeJobs({ executeJobsInput }, c) {
      const time = startAnswerTime();
      const identity = await time.wait(callerOf(c).identity());
      const traceparent = traceOf(c);
      const requests = executeJobsInput.map((input: object) => ({ ...input, traceparent }));
      return presentJobs(await parts.executeJobs(identity, requests, time));
    },
    cancelJob: inTime(async ({ id }: { id: number }, c) =>
      presentJob(await parts.cancelJob(await callerOf(c).identity(), id)),
    ),
    async retryJob({ id }, c) {
      const time = startAnswerTime();
      const identity = await time.wait(callerOf(c).identity());
      return presentJob(await parts.retryJob(identity, id, time));
    },
    async redriveDeadLetters({ ids, filter, after, all, dryRun }, c) {
      const time = startAnswerTime();
      const identity = await time.wait(callerOf(c).identity());
      const request = {
        ...(ids != null && { ids }),
        ...(filter != null && { filter: withoutNulls(filter) }),
        ...(after != null && { after }),
        all: all === true,
        dryRun: dryRun === true,
      };
      return redriveDeadLetters(parts, identity, request, time);
    },
  };
  return Object.fromEntries(
    Object.entries(resolvers).map(([operation, resolver]) => [operation, measured(operation, resolver)]),
  );
}

/** All jobs of a request belong to its trace; without one they begin one together. */
function traceOf(c: Context): string {
  return readTraceparent(c.req.header('traceparent')) ?? newTraceparent();
}

function withoutNulls(record: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== null));
}
