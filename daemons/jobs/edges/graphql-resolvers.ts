import { callerOf } from '@jobber/shared/auth-guard';
import type { Resolvers } from '@jobber/shared/graphql';
import type { MikroORM } from '@mikro-orm/postgresql';
import type { Pool } from 'pg';
import type { JobTypeCatalog } from '../catalog/job-type-catalog.ts';
import type { Notifications } from '../dispatch/notifications.ts';
import { cancelJob } from '../use-cases/cancel-job.ts';
import type { ExecuteJob } from '../use-cases/execute-job.ts';
import type { JobView } from '../use-cases/job-view.ts';
import { type JobFilter, listJobs } from '../use-cases/list-jobs.ts';
import type { ReadJob } from '../use-cases/read-jobs.ts';
import { readCounters, readErrors, readItems } from '../use-cases/read-outcomes.ts';

export interface JobsResolverParts {
  readonly orm: MikroORM;
  readonly pool: Pool;
  readonly catalog: JobTypeCatalog;
  readonly notifications: Notifications;
  readonly executeJob: ExecuteJob;
  readonly readJob: ReadJob;
}

/** An executor that has not offered its types for this many milliseconds is taken to be gone. */
const OFFER_FRESH_MS = 3 * 60 * 1_000;

/** Null and absent mean the same in GraphQL's arguments. */
type Optional<T> = { readonly [K in keyof T]?: T[K] | null };

export function jobsResolvers(parts: JobsResolverParts): Resolvers {
  async function present(job: JobView) {
    const { pool, catalog } = parts;
    const name = (await catalog.bySlug(job.type))?.type.name ?? job.type;
    const { id, size, completed, failed, status, startedAt, endedAt } = job;
    return {
      id,
      name,
      slug: job.type,
      size,
      completed,
      failed,
      status,
      owner: job.ownerId,
      startedAt,
      endedAt,
      result: async () =>
        size === 1 && completed === 1 ? firstResult(await readItems(pool, id, FIRST)) : null,
      counters: () => readCounters(pool, id),
      errors: async ({ limit }: { limit: number }) => {
        const errors = await readErrors(pool, id, { limit });
        return errors.map(({ index, error }) => ({ index, ...error }));
      },
      items: ({ limit, after }: { limit: number; after?: number | null }) =>
        readItems(pool, id, { limit, after: after ?? -1 }),
    };
  }

  return {
    async job({ id }: { id: number }, c) {
      return present(await parts.readJob(await callerOf(c).identity(), id));
    },
    async jobs(args: { filter?: Optional<JobFilter> | null; limit: number; before?: number | null }, c) {
      const identity = await callerOf(c).identity();
      const filter = withoutNulls(args.filter ?? {}) as JobFilter;
      const page = { filter, limit: args.limit, ...(args.before != null && { before: args.before }) };
      const jobs = await listJobs(parts, identity, page);
      return Promise.all(jobs.map(present));
    },
    async jobsMetadata(_args, c) {
      await callerOf(c).identity();
      const now = Date.now();
      const types = await parts.catalog.all();
      return types.map((type) => ({ ...type, available: now - type.offeredAt.getTime() < OFFER_FRESH_MS }));
    },
    async executeJob({ executeJobInput }, c) {
      return present(await parts.executeJob(await callerOf(c).identity(), executeJobInput));
    },
    async cancelJob({ id }: { id: number }, c) {
      return present(await cancelJob(parts, await callerOf(c).identity(), id));
    },
  };
}

const FIRST = { limit: 1, after: -1 };

function firstResult(items: readonly { result: unknown }[]): unknown {
  return items[0]?.result ?? null;
}

function withoutNulls(record: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== null));
}
