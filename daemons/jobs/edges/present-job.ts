import type { Context } from 'hono';
import type { Pool } from 'pg';
import type { JobTypeCatalog } from '../catalog/job-type-catalog.ts';
import type { JobView } from '../job-view.ts';
import { countHistory, readHistory } from '../use-cases/read-history.ts';
import { createOutcomeReader, type OutcomeReader } from '../use-cases/read-outcomes.ts';
import { readRunningTasks } from '../use-cases/read-running-tasks.ts';
import type { AnswerBudget } from './answer-budget.ts';

/** A job as GraphQL shows it: what costs a query of its own is a function, called only where it was asked for. */
export interface JobPresenter {
  presentJob(job: ShownJob): Promise<object>;
  presentJobs(jobs: readonly ShownJob[]): Promise<object[]>;
}

type ShownJob = JobView & { readonly existing?: boolean };
type CountedJob = Pick<ShownJob, 'id' | 'size' | 'completed' | 'failed'>;

interface HistoryArguments {
  readonly limit: number;
  readonly after?: number | null;
  readonly before?: number | null;
  readonly newestFirst?: boolean | null;
}

export function createJobPresenter(
  { pool, catalog }: { pool: Pool; catalog: JobTypeCatalog },
  budgetOf: (c: Context) => AnswerBudget,
): JobPresenter {
  const readers = new WeakMap<Context, OutcomeReader>();

  function readerOf(c: Context): OutcomeReader {
    const reader = readers.get(c) ?? createOutcomeReader(pool);
    readers.set(c, reader);
    return reader;
  }

  /** GraphQL calls them on the job that they are asked of; an answer may have a thousand jobs, and these once. */
  const reads = {
    history(this: CountedJob, { limit, after, before, newestFirst }: HistoryArguments, c: Context) {
      return budgetOf(c).read(() =>
        readHistory(pool, {
          jobId: this.id,
          limit,
          newestFirst: newestFirst === true,
          ...(after != null && { after }),
          ...(before != null && { before }),
        }),
      );
    },
    historySize(this: CountedJob) {
      return countHistory(pool, this.id);
    },
    async result(this: CountedJob, _args: unknown, c: Context) {
      if (this.size !== 1 || this.completed !== 1) return null;
      const [item] = await readerOf(c).items(this.id, { limit: 1, after: -1 });
      return item?.result ?? null;
    },
    running(this: CountedJob, { limit, after }: { limit: number; after?: number | null }, c: Context) {
      return budgetOf(c).read(() =>
        readRunningTasks(pool, this.id, { limit, ...(after != null && { after }) }),
      );
    },
    counters(this: CountedJob, _args: unknown, c: Context) {
      return readerOf(c).counters(this.id);
    },
    async errors(this: CountedJob, { limit }: { limit: number }, c: Context) {
      const errors = this.failed === 0 ? [] : await readerOf(c).errors(this.id, { limit });
      return errors.map(({ index, error }) => ({ index, ...error }));
    },
    async items(this: CountedJob, { limit, after }: { limit: number; after?: number | null }, c: Context) {
      const items = await readerOf(c).items(this.id, { limit, after: after ?? -1 });
      return items.map((item) => ({ ...item, error: item.error && { index: item.index, ...item.error } }));
    },
  };

  /** Field by field: to copy `job` and `reads` takes several times as long. */
  function present(job: ShownJob): object {
    return {
      id: job.id,
      name: catalog.lastSeen(job.type)?.name ?? job.type,
      slug: job.type,
      size: job.size,
      completed: job.completed,
      failed: job.failed,
      status: job.status,
      owner: job.ownerId,
      startedAt: job.startedAt,
      endedAt: job.endedAt,
      runAt: job.runAt,
      priority: job.priority,
      timeout: job.timeoutMs,
      maxAttempts: job.maxAttempts,
      backoff: job.backoffMs,
      uniqueFor: job.uniqueFor,
      tags: job.tags,
      round: job.round,
      existing: job.existing ?? false,
      history: reads.history,
      historySize: reads.historySize,
      result: reads.result,
      running: reads.running,
      counters: reads.counters,
      errors: reads.errors,
      items: reads.items,
    };
  }

  return {
    async presentJob(job) {
      await catalog.refresh();
      return present(job);
    },
    async presentJobs(jobs) {
      await catalog.refresh();
      return jobs.map(present);
    },
  };
}
