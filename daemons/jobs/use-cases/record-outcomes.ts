import type { DecidedItem } from '@jobber/db/jobs';
import { createGroupCommit } from '@jobber/shared/group-commit';
import type { Logger } from '@jobber/shared/log';
import type { Pool } from 'pg';
import type { Notifications } from '../dispatch/notifications.ts';
import type { JobsMetrics } from '../jobs-metrics.ts';
import type { AttemptRef } from '../transitions/attempt-ref.ts';
import { type Finish, type FinishedAttempt, finishAttempts } from '../transitions/finish-attempts.ts';
import { type RunningAttempt, readRunningAttempt } from '../transitions/read-running-attempt.ts';
import { MAX_INTERRUPTIONS, releaseAttempt } from '../transitions/release-attempt.ts';
import { retryAttempt } from '../transitions/retry-attempt.ts';
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
  /** Items that ended for good. */
  readonly decided: readonly DecidedItem[];
  /** Items that failed but may be tried again. */
  readonly retry: readonly (readonly [offset: number, failure: ItemFailure])[];
  /** The executor gave up because it was shutting down. */
  readonly interrupted: boolean;
  readonly counters: Readonly<Record<string, number>> | null;
}

/** `superseded`: the attempt is not the running one (any more); nothing was changed. */
export type AckStatus = 'recorded' | 'superseded';
export type RecordOutcome = (outcome: AttemptOutcome) => Promise<AckStatus>;

const INTERRUPTED: ItemFailure = { reason: 'Interrupted', message: 'The task was interrupted too often' };
const NO_OUTCOME: ItemFailure = { reason: 'NoOutcome', message: 'The handler gave no outcome for the item' };

/** Stores outcomes; those that arrive together are written together. Resolves after they are durable. */
export function createRecordOutcome(parts: {
  pool: Pool;
  notifications: Notifications;
  metrics: Pick<JobsMetrics, 'attemptsEnded' | 'jobsEnded' | 'batchSize'>;
  log: Logger;
}): RecordOutcome {
  const { pool, notifications, metrics, log } = parts;
  const finishes = createGroupCommit<FinishedAttempt, Finish>({
    maxBatch: 500,
    concurrency: 2,
    async run(attempts) {
      metrics.batchSize.observe({ batch: 'finish' }, attempts.length);
      const results = await runBatch(attempts, (some) => finishAttempts(pool, some));
      const changed = attempts.filter((_, index) => results[index]).map(({ jobId }) => jobId);
      notifications.jobsChanged(changed);
      return results;
    },
  });

  /** When all items are decided. */
  async function finish(attempt: FinishedAttempt): Promise<boolean> {
    const finished = await finishes.submit(attempt);
    if (!finished) return false;
    if (finished.jobStatus !== 'IN_PROGRESS') {
      metrics.jobsEnded.inc({ status: finished.jobStatus });
      log.debug({ jobId: attempt.jobId, status: finished.jobStatus }, 'job ended');
    }
    return true;
  }

  /** When items are left undecided: the task is tried again, at once after an interruption. */
  async function giveBack(outcome: AttemptOutcome): Promise<boolean> {
    const error = outcome.retry[0]?.[1].message ?? null;
    const { jobId, seq, attempt, decided, counters } = outcome;
    const transition = outcome.interrupted ? releaseAttempt : retryAttempt;
    const returned = await transition(pool, { jobId, seq, attempt, decided, counters, error });
    if (!returned) return false;
    if (returned.waitMs === 0) notifications.tasksReady([returned.type]);
    notifications.jobsChanged([jobId]);
    return true;
  }

  /** When no attempts are left: what is still undecided has failed for good. */
  async function bury(outcome: AttemptOutcome): Promise<boolean> {
    const running = await readRunningAttempt(pool, outcome);
    if (!running || !isLastAttempt(running, outcome)) return false;
    const { jobId, seq, attempt, counters } = outcome;
    return finish({ jobId, seq, attempt, counters, decided: decideTheRest(running, outcome) });
  }

  return async function recordOutcome(outcome) {
    const steps = [
      ['finished', outcome.retry.length === 0 && finish],
      [outcome.interrupted ? 'released' : 'retried', giveBack],
      ['buried', bury],
    ] as const;
    for (const [name, step] of steps) {
      if (!step || !(await step(outcome))) continue;
      metrics.attemptsEnded.inc({ outcome: name });
      return 'recorded';
    }
    metrics.attemptsEnded.inc({ outcome: 'superseded' });
    return 'superseded';
  };
}

function isLastAttempt(running: RunningAttempt, { interrupted }: AttemptOutcome): boolean {
  return interrupted
    ? running.interruptions + 1 >= MAX_INTERRUPTIONS
    : running.failures + 1 >= running.maxAttempts;
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
