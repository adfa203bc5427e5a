import {
  type AttemptProgress,
  type HeartbeatResponse,
  type JobsServiceClient,
  LeaseStatus,
} from '@jobber/proto/jobs/v1/jobs';
import { describeUnknownError } from '@jobber/shared/errors';
import { deadline } from '@jobber/shared/grpc';
import type { Logger } from '@jobber/shared/log';
import type { Progress } from '@jobber/shared/progress';
import type { Attempt } from './attempt.ts';

export interface Heartbeats {
  /** An attempt has begun: its lease is to be renewed in time. */
  watch(attempt: Attempt): void;
  stop(): void;
}

export interface HeartbeatOptions {
  readonly client: Pick<JobsServiceClient, 'heartbeat'>;
  readonly executorId: string;
  readonly attempts: Iterable<Attempt>;
  readonly onFailure: () => void;
  readonly log: Logger;
}

/** A lease is renewed when a third of it has passed, so that two calls may fail. */
const BEATS_PER_LEASE = 3;
/** Between two calls while Jobs can't be reached, and how long a call may take, in milliseconds. */
const RETRY_MS = 500;
const CALL_MS = 5_000;
/** Attempts of which one call tells the progress; at this number it stays far below the limit of a message. */
const MAX_PROGRESS = 1_000;

/** Renews the leases of all attempts in one call, which tells their progress, too, and aborts attempts that have lost theirs. */
export function startHeartbeats(options: HeartbeatOptions): Heartbeats {
  const { client, executorId, log } = options;
  let timer: NodeJS.Timeout | undefined;
  let dueAt = Number.POSITIVE_INFINITY;
  let beating = false;
  let stopped = false;
  /** What Jobs has been told already, and when. */
  const told = new WeakMap<Attempt, { progress: Progress; at: number }>();

  function schedule(at: number): void {
    if (stopped || beating || at >= dueAt) return;
    clearTimeout(timer);
    dueAt = at;
    timer = setTimeout(() => void beat(), Math.max(0, at - performance.now()));
  }

  async function beat(): Promise<void> {
    dueAt = Number.POSITIVE_INFINITY;
    const attempts = [...options.attempts].filter(({ holdsLease }) => holdsLease);
    if (attempts.length === 0) return;
    const intervalMs = Math.min(...attempts.map(({ task }) => task.leaseMs)) / BEATS_PER_LEASE;
    beating = true;
    await renew(attempts, Math.min(intervalMs, CALL_MS));
    beating = false;
    const earliest = performance.now() + Math.min(intervalMs, RETRY_MS);
    for (const attempt of options.attempts) {
      if (attempt.holdsLease) schedule(Math.max(earliest, beatDueAt(attempt)));
    }
  }

  async function renew(attempts: readonly Attempt[], callMs: number): Promise<void> {
    const sentAt = performance.now();
    try {
      const refs = attempts.map(({ ref }) => ref);
      const news = chooseNews(attempts);
      const progress = news.map(([{ ref }, said]): AttemptProgress => ({ ref, ...said }));
      const { statuses } = await client.heartbeat({ executorId, refs, progress }, deadline(callMs));
      for (const [attempt, said] of news) told.set(attempt, { progress: said, at: sentAt });
      applyStatuses(attempts, statuses, sentAt);
    } catch (error) {
      options.onFailure();
      log.warn({ error: describeUnknownError(error), attempts: attempts.length }, 'heartbeat failed');
      const now = performance.now();
      for (const attempt of attempts) if (attempt.leaseUntil <= now) attempt.abort('lease over');
    }
  }

  /** What is new; where that is too much, of those of whom nothing was told for the longest time. */
  function chooseNews(attempts: readonly Attempt[]): [Attempt, Progress][] {
    const news = attempts.flatMap((attempt): [Attempt, Progress][] => {
      const { progress } = attempt;
      return progress && progress !== told.get(attempt)?.progress ? [[attempt, progress]] : [];
    });
    if (news.length <= MAX_PROGRESS) return news;
    const toldAt = ([attempt]: [Attempt, Progress]) => told.get(attempt)?.at ?? 0;
    return news.sort((a, b) => toldAt(a) - toldAt(b)).slice(0, MAX_PROGRESS);
  }

  return {
    watch: (attempt) => schedule(beatDueAt(attempt)),
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

function beatDueAt({ leaseUntil, task }: Attempt): number {
  return leaseUntil - task.leaseMs * (1 - 1 / BEATS_PER_LEASE);
}

function applyStatuses(
  attempts: readonly Attempt[],
  statuses: HeartbeatResponse['statuses'],
  sentAt: number,
): void {
  attempts.forEach((attempt, index) => {
    switch (statuses[index]) {
      case LeaseStatus.RENEWED:
        attempt.leaseUntil = sentAt + attempt.task.leaseMs;
        break;
      case LeaseStatus.CANCELLED:
        attempt.abort('cancelled');
        break;
      case LeaseStatus.LOST:
        attempt.abort('lost');
        break;
      default:
        // An answer that says nothing renews nothing.
        if (attempt.leaseUntil <= sentAt) attempt.abort('lease over');
    }
  });
}
