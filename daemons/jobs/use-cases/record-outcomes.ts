import type { DecidedItem } from '@jobber/db/jobs';
import { createGroupCommit, type GroupCommit } from '@jobber/shared/group-commit';
import type { Logger } from '@jobber/shared/log';
import { countEach } from '@jobber/shared/telemetry';
import type { Pool } from 'pg';
import type { JobChanges } from '../dispatch/job-changes.ts';
import type { Notifications } from '../dispatch/notifications.ts';
import type { Waker } from '../dispatch/wake-waiting.ts';
import type { JobProgress } from '../job-view.ts';
import type { JobsMetrics } from '../jobs-metrics.ts';
import type { AttemptRef } from '../transitions/attempt-ref.ts';
import { deferAttempts } from '../transitions/defer-attempts.ts';
import { type Finish, type FinishedAttempt, finishAttempts } from '../transitions/finish-attempts.ts';
import { handBackAttempts } from '../transitions/hand-back-attempts.ts';
import { type RunningAttempt, readRunningAttempt } from '../transitions/read-running-attempt.ts';
import { recordSuperseded, type SupersededAttempt } from '../transitions/record-superseded.ts';
import { MAX_INTERRUPTIONS, releaseAttempts } from '../transitions/release-attempts.ts';
import { retryAttempts } from '../transitions/retry-attempts.ts';
import type { ReturnedTask, ReturnTasks, UnfinishedAttempt } from '../transitions/return-tasks.ts';
import { runBatch } from '../transitions/run-batch.ts';

/** Why an item failed. */
export interface ItemFailure {
  /** A stable word. */
  readonly reason: string;
  /** A sentence. */
  readonly message: string;
}

/** What an executor reports of an attempt. */
export interface AttemptOutcome extends AttemptRef {
  readonly executorId: string;
  /** Items that ended for good. */
  readonly decided: readonly DecidedItem[];
  /** Items that failed but may be tried again. */
  readonly retry: readonly (readonly [offset: number, failure: ItemFailure])[];
  /** The executor gave up: it was shutting down, or could not run it soon. */
  readonly interrupted: boolean;
  /** Interrupted before its handler had begun. */
  readonly notStarted: boolean;
  /** A service that the handler needs was away. */
  readonly deferred: boolean;
  readonly counters: Readonly<Record<string, number>> | null;
}

/** `superseded`: the attempt is not the running one (any more); nothing was changed. */
export type AckStatus = 'recorded' | 'superseded';
/** The answers are in the order of the outcomes. */
export type RecordOutcomes = (outcomes: readonly AttemptOutcome[]) => Promise<AckStatus[]>;

export interface RecordOutcomesParts {
  readonly pool: Pool;
  readonly waker: Waker;
  /** Whether how many tasks of a type may run is limited: the end of one makes room for another. */
  readonly isLimited: (type: string) => boolean;
  readonly notifications: Notifications;
  readonly changes: JobChanges;
  readonly metrics: Pick<JobsMetrics, 'attemptsEnded' | 'jobsEnded' | 'batchSize'>;
  readonly log: Logger;
}

/** `buried`: what was still undecided has failed, because no attempts are left. */
type EndedAttempt = FinishedAttempt & { readonly buried?: true };

const INTERRUPTED: ItemFailure = { reason: 'Interrupted', message: 'The task was interrupted too often' };
const NO_OUTCOME: ItemFailure = { reason: 'NoOutcome', message: 'The handler gave no outcome for the item' };

/** Stores outcomes; those that arrive together are written together. Resolves after they are durable. */
export function createRecordOutcomes(parts: RecordOutcomesParts): RecordOutcomes {
  const { pool, waker, isLimited, notifications, changes, metrics, log } = parts;

  const finishes = createGroupCommit<EndedAttempt, Finish>({
    maxBatch: 500,
    concurrency: 2,
    async run(attempts) {
      metrics.batchSize.observe({ batch: 'finish' }, attempts.length);
      const results = await runBatch(attempts, (some) => finishAttempts(pool, some));
      // Attempts of one job that are written together have one job.
      const jobs = [...new Set(results.flatMap((job) => (job && !(job instanceof Error) ? [job] : [])))];
      // Here, not where they are answered: what is recorded counts also when others of its request are refused.
      const ended = attempts.filter((_, index) => results[index] && !(results[index] instanceof Error));
      countEach(metrics.attemptsEnded, 'outcome', ended, ({ buried }) => (buried ? 'buried' : 'finished'));
      countEnds(jobs);
      notifications.tasksReady(jobs.flatMap(({ type }) => (isLimited(type) ? [type] : [])));
      changes.tell(jobs);
      return results;
    },
  });
  const ways = {
    retried: createReturns(retryAttempts),
    released: createReturns(releaseAttempts),
    'handed-back': createReturns(handBackAttempts),
    deferred: createReturns(deferAttempts),
  };
  const late = createGroupCommit<SupersededAttempt, undefined>({
    maxBatch: 500,
    concurrency: 1,
    async run(attempts) {
      await recordSuperseded(pool, attempts);
      return attempts.map(() => undefined);
    },
  });

  function createReturns(transition: ReturnTasks): GroupCommit<UnfinishedAttempt, ReturnedTask | undefined> {
    return createGroupCommit({
      maxBatch: 500,
      concurrency: 2,
      async run(attempts) {
        metrics.batchSize.observe({ batch: 'return' }, attempts.length);
        const results = await runBatch(attempts, (some) => transition(pool, some));
        const returned = results.flatMap((task) => (task && !(task instanceof Error) ? [task] : []));
        notifications.tasksReady(
          returned.flatMap(({ type, waitMs }) => (waitMs === 0 || isLimited(type) ? [type] : [])),
        );
        for (const { waitMs } of returned) if (waitMs > 0) waker.expect(waitMs);
        changes.tell(returned.flatMap(({ job }) => job ?? []));
        return results;
      },
    });
  }

  function countEnds(jobs: readonly JobProgress[]): void {
    const ended = jobs.filter(({ endedAt }) => endedAt !== null);
    countEach(metrics.jobsEnded, 'status', ended, ({ status }) => status);
    if (!log.isLevelEnabled('debug')) return;
    for (const { id, status } of ended) log.debug({ jobId: id, status }, 'job ended');
  }

  /** When all items may be decided, as they nearly always are. @returns the outcomes that did not decide all that was left */
  async function finishAll(outcomes: readonly AttemptOutcome[]): Promise<AttemptOutcome[]> {
    const jobs = await finishes.submitAll(outcomes);
    return outcomes.filter((_, index) => jobs[index] === undefined);
  }

  /** When items are left undecided: the task is tried again. */
  async function giveBack(outcome: AttemptOutcome): Promise<boolean> {
    const { jobId, seq, attempt, decided, counters } = outcome;
    const error = outcome.retry[0]?.[1] ?? null;
    const returned = await ways[wayOf(outcome)].submit({ jobId, seq, attempt, decided, counters, error });
    return returned !== undefined;
  }

  /** When no attempts are left: what is still undecided has failed for good. */
  async function bury(outcome: AttemptOutcome): Promise<boolean> {
    const running = await readRunningAttempt(pool, outcome);
    if (!running || !isLastAttempt(running, outcome)) return false;
    const { jobId, seq, attempt, counters } = outcome;
    const decided = decideTheRest(running, outcome);
    const ended = { jobId, seq, attempt, counters, decided, buried: true } as const;
    return (await finishes.submit(ended)) !== undefined;
  }

  async function recordUnfinished(outcome: AttemptOutcome): Promise<AckStatus> {
    if (await giveBack(outcome)) {
      metrics.attemptsEnded.inc({ outcome: wayOf(outcome) });
      return 'recorded';
    }
    if (await bury(outcome)) return 'recorded';
    metrics.attemptsEnded.inc({ outcome: 'superseded' });
    await late.submit(outcome);
    return 'superseded';
  }

  return async function recordOutcomes(outcomes) {
    const unfinished = new Map<AttemptOutcome, AckStatus>();

    async function recordEach(some: readonly AttemptOutcome[]): Promise<void> {
      await Promise.all(
        some.map(async (outcome) => unfinished.set(outcome, await recordUnfinished(outcome))),
      );
    }

    await Promise.all([
      finishAll(outcomes.filter(mayBeAll)).then(recordEach),
      recordEach(outcomes.filter((outcome) => !mayBeAll(outcome))),
    ]);
    return outcomes.map((outcome) => unfinished.get(outcome) ?? 'recorded');
  };
}

/** Whether the outcome may decide all that was left. */
function mayBeAll({ retry, deferred, decided }: AttemptOutcome): boolean {
  return retry.length === 0 && (!deferred || decided.length > 0);
}

type WayBack = 'retried' | 'released' | 'handed-back' | 'deferred';

function wayOf({ interrupted, notStarted, deferred }: AttemptOutcome): WayBack {
  if (interrupted) return notStarted ? 'handed-back' : 'released';
  return deferred ? 'deferred' : 'retried';
}

function isLastAttempt(
  running: RunningAttempt,
  { interrupted, notStarted, deferred }: AttemptOutcome,
): boolean {
  if (interrupted) return !notStarted && running.interruptions + 1 >= MAX_INTERRUPTIONS;
  return !deferred && running.failures + 1 >= running.maxAttempts;
}

function decideTheRest(running: RunningAttempt, outcome: AttemptOutcome): DecidedItem[] {
  const decided = new Set([...running.decidedOffsets, ...outcome.decided.map(([offset]) => offset)]);
  const failures = new Map(outcome.retry);
  const rest: DecidedItem[] = [];
  for (let offset = 0; offset < running.itemCount; offset += 1) {
    if (decided.has(offset)) continue;
    rest.push([offset, 0, failures.get(offset) ?? (outcome.interrupted ? INTERRUPTED : NO_OUTCOME)]);
  }
  return [...outcome.decided, ...rest];
}
