import { callerOf } from '@jobber/shared/auth-guard';
import { type ClassifyError, isAppError } from '@jobber/shared/errors';
import type { Resolver, Resolvers } from '@jobber/shared/graphql';
import type { Context } from 'hono';
import type { Pool } from 'pg';
import type { JobTypeCatalog } from '../catalog/job-type-catalog.ts';
import type { JobsMetrics } from '../jobs-metrics.ts';
import type { CancelJob } from '../use-cases/cancel-job.ts';
import type { ExecuteJob } from '../use-cases/execute-job.ts';
import type { JobView } from '../use-cases/job-view.ts';
import { type JobFilter, listJobs } from '../use-cases/list-jobs.ts';
import type { ReadJob } from '../use-cases/read-jobs.ts';
import { createOutcomeReader, type OutcomeReader } from '../use-cases/read-outcomes.ts';
import { answerInTime } from './answer-in-time.ts';

export interface JobsResolverParts {
  readonly pool: Pool;
  readonly catalog: JobTypeCatalog;
  readonly executeJob: ExecuteJob;
  readonly readJob: ReadJob;
  readonly cancelJob: CancelJob;
  readonly metrics: Pick<JobsMetrics, 'requestSeconds'>;
  readonly classify: ClassifyError;
}

/** An executor that has not offered its types for this many milliseconds is taken to be gone. */
const OFFER_FRESH_MS = 3 * 60 * 1_000;

/** Null and absent mean the same in GraphQL's arguments. */
type Optional<T> = { readonly [K in keyof T]?: T[K] | null };

export function jobsResolvers(parts: JobsResolverParts): Resolvers {
  const { pool, catalog, metrics, classify } = parts;
  const readers = new WeakMap<Context, OutcomeReader>();

  function readerOf(c: Context): OutcomeReader {
    const reader = readers.get(c) ?? createOutcomeReader(pool);
    readers.set(c, reader);
    return reader;
  }

  async function present(job: JobView, c: Context) {
    const outcomes = readerOf(c);
    const { id, size, completed, failed, status, startedAt, endedAt } = job;
    return {
      id,
      name: (await catalog.bySlug(job.type))?.type.name ?? job.type,
      slug: job.type,
      size,
      completed,
      failed,
      status,
      owner: job.ownerId,
      startedAt,
      endedAt,
      async result() {
        if (size !== 1 || completed !== 1) return null;
        const [item] = await outcomes.items(id, { limit: 1, after: -1 });
        return item?.result ?? null;
      },
      counters: () => outcomes.counters(id),
      async errors({ limit }: { limit: number }) {
        const errors = failed === 0 ? [] : await outcomes.errors(id, { limit });
        return errors.map(({ index, error }) => ({ index, ...error }));
      },
      async items({ limit, after }: { limit: number; after?: number | null }) {
        const items = await outcomes.items(id, { limit, after: after ?? -1 });
        return items.map((item) => ({ ...item, error: item.error && { index: item.index, ...item.error } }));
      },
    };
  }

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
      present(await parts.readJob(await callerOf(c).identity(), id), c),
    ),
    jobs: inTime(
      async (args: { filter?: Optional<JobFilter> | null; limit: number; before?: number | null }, c) => {
        const identity = await callerOf(c).identity();
        const filter = withoutNulls(args.filter ?? {}) as JobFilter;
        const page = { filter, limit: args.limit, ...(args.before != null && { before: args.before }) };
        const jobs = await listJobs(parts, identity, page);
        return Promise.all(jobs.map((job) => present(job, c)));
      },
    ),
    jobsMetadata: inTime(async (_args, c) => {
      await callerOf(c).identity();
      const now = Date.now();
      const types = await catalog.all();
      return types.map((type) => ({ ...type, available: now - type.offeredAt.getTime() < OFFER_FRESH_MS }));
    }),
    // To check a large file takes its time; the steps that wait for others have limits of their own.
    async executeJob({ executeJobInput }, c) {
      const identity = await answerInTime(callerOf(c).identity());
      return present(await parts.executeJob(identity, executeJobInput), c);
    },
    cancelJob: inTime(async ({ id }: { id: number }, c) =>
      present(await parts.cancelJob(await callerOf(c).identity(), id), c),
    ),
  };
  return Object.fromEntries(
    Object.entries(resolvers).map(([operation, resolver]) => [operation, measured(operation, resolver)]),
  );
}

function withoutNulls(record: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== null));
}
