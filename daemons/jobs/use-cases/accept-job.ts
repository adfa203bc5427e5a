import { type AppError, isAppError } from '@jobber/shared/errors';
import { createGroupCommit } from '@jobber/shared/group-commit';
import type { Logger } from '@jobber/shared/log';
import { countEach } from '@jobber/shared/telemetry';
import type { Pool, PoolClient } from 'pg';
import { MANY_TASKS } from '../answer-in-time.ts';
import type { Notifications } from '../dispatch/notifications.ts';
import { type PlacedJob, placeTasks, type ReservePlace, settlePlaces } from '../dispatch/place-tasks.ts';
import type { Waker } from '../dispatch/wake-waiting.ts';
import { inTransaction } from '../in-transaction.ts';
import type { JobsMetrics } from '../jobs-metrics.ts';
import {
  type Acceptance,
  acceptJobs,
  countTasks,
  type FirstLeases,
  type NewJob,
} from '../transitions/accept-jobs.ts';
import { againAfterDeadlock, runBatch } from '../transitions/run-batch.ts';
import { TASKS_PER_STATEMENT } from '../transitions/tasks-per-statement.ts';

/** Stores jobs that have passed every check, and sees to it that they are begun. */
export interface AcceptJob {
  /** With others that arrive at the same time, in one statement; a large one by itself. */
  one(job: NewJob): Promise<Acceptance>;
  /**
   * All or none of them, in a transaction of their own. `settle` sees what became of each before any is kept: none is
   * when it throws, or has no answer.
   */
  together<Answer>(jobs: readonly NewJob[], settle: Settle<Answer>): Promise<Answer | undefined>;
}

/** @param database sees the jobs that are accepted */
export type Settle<Answer> = (
  acceptances: readonly Acceptance[],
  database: Pool | PoolClient,
) => Promise<Answer | undefined>;

export interface AcceptJobParts {
  readonly pool: Pool;
  readonly reserve: ReservePlace;
  readonly waker: Waker;
  readonly notifications: Notifications;
  readonly leases: FirstLeases;
  /** Whether tasks of a type may start with their acceptance: not where how many may run is limited. */
  readonly mayPlace: (type: string) => boolean;
  readonly metrics: Pick<JobsMetrics, 'jobsAccepted' | 'batchSize'>;
  readonly log: Logger;
}

/** Tasks of the jobs of one statement; a job counts for at least so many. */
const MAX_BATCH = TASKS_PER_STATEMENT;
const MIN_WEIGHT = 20;

export function createAcceptJob(parts: AcceptJobParts): AcceptJob {
  const { pool, reserve, waker, notifications, leases, metrics, log } = parts;

  async function accept(
    jobs: readonly NewJob[],
    store: (jobs: readonly NewJob[]) => Promise<(Acceptance | Error)[]>,
  ): Promise<(Acceptance | Error)[]> {
    metrics.batchSize.observe({ batch: 'accept' }, jobs.length);
    // Places are for what one statement writes.
    const few = countTasks(jobs) <= TASKS_PER_STATEMENT;
    const placed = jobs.map((job) =>
      few && parts.mayPlace(job.type) ? placeTasks(reserve, job) : { job, places: [] },
    );
    let acceptances: (Acceptance | Error)[] = [];
    try {
      acceptances = await store(placed.map(({ job }) => job));
    } finally {
      // Without an answer the tasks may be stored all the same; then their leases expire.
      for (const [index, one] of placed.entries()) settlePlaces(one, acceptances[index]);
    }
    const accepted = placed.filter((_, index) => isAccepted(acceptances[index]));
    countEach(metrics.jobsAccepted, 'type', accepted, ({ job }) => job.type);
    if (log.isLevelEnabled('debug')) logAccepted(placed, acceptances);
    tellOthers(accepted, acceptances);
    return acceptances;
  }

  function tellOthers(accepted: readonly PlacedJob[], acceptances: readonly (Acceptance | Error)[]): void {
    const waiting = accepted.filter(({ job, places }) => places.length < job.tasks.length);
    notifications.tasksReady(waiting.map(({ job }) => job.type));
    for (const acceptance of acceptances) {
      if (isAccepted(acceptance) && acceptance.runAt) waker.expect(acceptance.runAt.getTime() - Date.now());
    }
  }

  function logAccepted(placed: readonly PlacedJob[], acceptances: readonly (Acceptance | Error)[]): void {
    for (const [index, { job }] of placed.entries()) {
      const acceptance = acceptances[index];
      if (!isAccepted(acceptance)) continue;
      const { type, size, ownerId } = job;
      log.debug({ jobId: acceptance.id, type, size, ownerId }, 'job accepted');
    }
  }

  const batches = createGroupCommit<NewJob, Acceptance>({
    maxBatch: MAX_BATCH,
    weigh: ({ tasks }) => Math.max(MIN_WEIGHT, tasks.length),
    concurrency: 2,
    run: (jobs) => accept(jobs, (some) => runBatch(some, (batch) => acceptJobs(pool, batch, leases))),
  });
  /** One that takes seconds goes beside the others, so that they need not wait for it. */
  const large = createGroupCommit<NewJob, Acceptance>({
    maxBatch: 1,
    concurrency: 2,
    run: (jobs) => accept(jobs, (some) => againAfterDeadlock(() => acceptJobsInTransaction(some))),
  });

  function acceptJobsInTransaction(jobs: readonly NewJob[]): Promise<Acceptance[]> {
    return inTransaction(pool, (client) => acceptJobs(client, jobs, leases));
  }

  return {
    one: (job) => (job.tasks.length > MANY_TASKS ? large : batches).submit(job),
    async together<Answer>(jobs: readonly NewJob[], settle: Settle<Answer>) {
      const settled: { answer?: Answer | undefined; refusal?: AppError | undefined } = {};

      async function store(database: Pool | PoolClient, all: readonly NewJob[]): Promise<Acceptance[]> {
        const acceptances = await acceptJobs(database, all, leases);
        settled.refusal = undefined;
        settled.answer = await settle(acceptances, database).catch((error: unknown) => {
          if (!isAppError(error)) throw error;
          settled.refusal = error;
          return undefined;
        });
        return settled.answer === undefined ? [] : acceptances;
      }

      await accept(jobs, (all) =>
        againAfterDeadlock(() =>
          all.some(mayBeRefused) || countTasks(all) > TASKS_PER_STATEMENT
            ? inTransaction(
                pool,
                (client) => store(client, all),
                (kept) => kept.length > 0,
              )
            : store(pool, all),
        ),
      );
      if (settled.refusal) throw settled.refusal;
      return settled.answer;
    },
  };
}

/**
 * Whether only storing the job shows that it can't be accepted: its upload has gone, or another one stands in its way.
 */
function mayBeRefused({ uploadName, idempotencyKey, options }: NewJob): boolean {
  return uploadName !== null || idempotencyKey !== null || options?.uniqueFor !== undefined;
}

function isAccepted(
  acceptance: Acceptance | Error | undefined,
): acceptance is Extract<Acceptance, { outcome: 'accepted' }> {
  return acceptance !== undefined && !(acceptance instanceof Error) && acceptance.outcome === 'accepted';
}
