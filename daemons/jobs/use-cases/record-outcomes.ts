import type { DecidedItem } from '@jobber/db/jobs';
import { createGroupCommit } from '@jobber/shared/group-commit';
import type { Pool } from 'pg';
import type { Notifications } from '../dispatch/notifications.ts';
import type { AttemptRef } from '../transitions/attempt-ref.ts';
import { buryTasks } from '../transitions/bury-tasks.ts';
import { type FinishedAttempt, finishAttempts } from '../transitions/finish-attempts.ts';
import { releaseAttempt } from '../transitions/release-attempt.ts';
import { retryAttempt } from '../transitions/retry-attempt.ts';

/** What an executor reports of an attempt. */
export interface AttemptOutcome extends AttemptRef {
  /** Items that ended for good. */
  readonly decided: readonly DecidedItem[];
  /** Items that failed but may be tried again: offset and error. */
  readonly retry: readonly (readonly [offset: number, error: { reason: string; message: string }])[];
  /** The executor gave up because it was shutting down. */
  readonly interrupted: boolean;
  readonly counters: Readonly<Record<string, number>> | null;
}

/** `superseded`: the attempt is not the running one (any more); nothing was changed. */
export type AckStatus = 'recorded' | 'superseded';
export type RecordOutcome = (outcome: AttemptOutcome) => Promise<AckStatus>;

/** The database rolls one of two transactions back when they wait for each other; that one is simply done again. */
const DEADLOCK = '40P01';

/** Stores outcomes; those that arrive together are written together. Resolves after they are durable. */
export function createRecordOutcome({
  pool,
  notifications,
}: {
  pool: Pool;
  notifications: Notifications;
}): RecordOutcome {
  const finishes = createGroupCommit<FinishedAttempt, boolean>({
    maxBatch: 500,
    concurrency: 2,
    async run(attempts) {
      const recorded = await finishAttempts(pool, attempts).catch((error: { code?: string }) => {
        if (error.code !== DEADLOCK) throw error;
        return finishAttempts(pool, attempts);
      });
      notifications.jobsChanged(attempts.filter((_, index) => recorded[index]).map(({ jobId }) => jobId));
      return recorded;
    },
  });

  async function recordReturned(outcome: AttemptOutcome, attempt: 'released' | 'retried'): Promise<boolean> {
    const error = outcome.retry[0]?.[1].message ?? null;
    const unfinished = { ...refOf(outcome), decided: outcome.decided, counters: outcome.counters, error };
    const returned = await (attempt === 'released' ? releaseAttempt : retryAttempt)(pool, unfinished);
    if (returned) notifications.jobsChanged([outcome.jobId]);
    return returned;
  }

  /** No attempts are left: what could have been tried again has failed for good. */
  async function recordExhausted(outcome: AttemptOutcome): Promise<boolean> {
    const failed: DecidedItem[] = outcome.retry.map(([offset, error]) => [offset, 0, error]);
    return finishes.submit({ ...outcome, decided: [...outcome.decided, ...failed] });
  }

  async function buryInterrupted(outcome: AttemptOutcome): Promise<boolean> {
    const error = { reason: 'Interrupted', message: 'The task was interrupted too often' };
    const buried = await buryTasks(pool, [{ ...refOf(outcome), ...error }]);
    notifications.jobsChanged(buried);
    return buried.length > 0;
  }

  async function record(outcome: AttemptOutcome): Promise<boolean> {
    if (outcome.interrupted) return (await recordReturned(outcome, 'released')) || buryInterrupted(outcome);
    if (outcome.retry.length === 0 && (await finishes.submit(outcome))) return true;
    // Items without an outcome are tried again like those that failed.
    if (await recordReturned(outcome, 'retried')) return true;
    return outcome.retry.length > 0 && recordExhausted(outcome);
  }

  return async (outcome) => ((await record(outcome)) ? 'recorded' : 'superseded');
}

function refOf({ jobId, seq, attempt }: AttemptRef): AttemptRef {
  return { jobId, seq, attempt };
}
