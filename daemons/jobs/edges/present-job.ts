import type { Context } from 'hono';
import type { Pool } from 'pg';
import type { JobTypeCatalog } from '../catalog/job-type-catalog.ts';
import type { JobView } from '../job-view.ts';
import { countHistory, readHistory } from '../use-cases/read-history.ts';
import { createOutcomeReader, type OutcomeReader } from '../use-cases/read-outcomes.ts';
import { readRunningTasks } from '../use-cases/read-running-tasks.ts';
import type { AnswerBudget } from './answer-budget.ts';

/** A job as GraphQL shows it: what costs a query of its own is a function, called only where it was asked for. */
export type PresentJob = (job: JobView & { readonly existing?: boolean }, c: Context) => Promise<object>;

interface HistoryArguments {
  readonly limit: number;
  readonly after?: number | null;
  readonly before?: number | null;
  readonly newestFirst?: boolean | null;
}

export function createJobPresenter(
  { pool, catalog }: { pool: Pool; catalog: JobTypeCatalog },
  budgetOf: (c: Context) => AnswerBudget,
): PresentJob {
  const readers = new WeakMap<Context, OutcomeReader>();

  function readerOf(c: Context): OutcomeReader {
    const reader = readers.get(c) ?? createOutcomeReader(pool);
    readers.set(c, reader);
    return reader;
  }

  return async function presentJob(job, c) {
    const outcomes = readerOf(c);
    const { id, size, completed, failed } = job;
    return {
      ...job,
      name: (await catalog.bySlug(job.type))?.type.name ?? job.type,
      slug: job.type,
      owner: job.ownerId,
      timeout: job.timeoutMs,
      backoff: job.backoffMs,
      existing: job.existing ?? false,
      history: ({ limit, after, before, newestFirst }: HistoryArguments) =>
        budgetOf(c).read(() =>
          readHistory(pool, {
            jobId: id,
            limit,
            newestFirst: newestFirst === true,
            ...(after != null && { after }),
            ...(before != null && { before }),
          }),
        ),
      historySize: () => countHistory(pool, id),
      async result() {
        if (size !== 1 || completed !== 1) return null;
        const [item] = await outcomes.items(id, { limit: 1, after: -1 });
        return item?.result ?? null;
      },
      running: ({ limit, after }: { limit: number; after?: number | null }) =>
        budgetOf(c).read(() => readRunningTasks(pool, id, { limit, ...(after != null && { after }) })),
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
  };
}
