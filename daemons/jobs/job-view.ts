import type { JobStatus } from '@jobber/db/jobs';

/** A job as its owner sees it. */
export interface JobView {
  readonly id: number;
  readonly ownerId: string;
  /** Slug of the job type. */
  readonly type: string;
  readonly status: JobStatus;
  readonly size: number;
  readonly completed: number;
  readonly failed: number;
  readonly startedAt: Date;
  readonly endedAt: Date | null;
  /** When a scheduled job may begin. */
  readonly runAt: Date | null;
  readonly priority: number;
  /** Limits of this job's own, in milliseconds and attempts; null: as its type says. */
  readonly timeoutMs: number | null;
  readonly maxAttempts: number | null;
  readonly backoffMs: number | null;
  readonly uniqueFor: string | null;
  readonly tags: readonly string[];
  /** 1, and one more with each redrive. */
  readonly round: number;
}

/** What changes of a job while it runs, and what it takes to tell who watches it. */
export type JobProgress = Pick<
  JobView,
  'id' | 'type' | 'status' | 'size' | 'completed' | 'failed' | 'startedAt' | 'endedAt' | 'round'
>;

/** The same text for a job that does not exist and for one that is not the caller's. */
export function jobNotFound(id: number): string {
  return `Job with ID ${id} not found`;
}

/**
 * What a `ProgressRow` is selected by, from `job`. Epochs are floating point: as `numeric` they
 * are the dearest part of a batch.
 */
export const PROGRESS_COLUMNS = `job.id, job.type, job.status, job.size, job.completed, job.failed, job.round,
  date_part('epoch', job.started_at) * 1000 as started_at_ms,
  date_part('epoch', job.ended_at) * 1000 as ended_at_ms`;

export interface ProgressRow {
  readonly id: string;
  readonly type: string;
  readonly status: JobStatus;
  readonly size: number;
  readonly completed: number;
  readonly failed: number;
  readonly round: number;
  readonly started_at_ms: number;
  readonly ended_at_ms: number | null;
}

export function toProgress(row: ProgressRow): JobProgress {
  return {
    id: Number(row.id),
    type: row.type,
    status: row.status,
    size: row.size,
    completed: row.completed,
    failed: row.failed,
    startedAt: toDate(row.started_at_ms),
    endedAt: row.ended_at_ms === null ? null : toDate(row.ended_at_ms),
    round: row.round,
  };
}

/** What a `JobRow` is selected by, from `job`. */
export const JOB_COLUMNS = `${PROGRESS_COLUMNS}, job.owner_id, date_part('epoch', job.run_at) * 1000 as run_at_ms,
  job.priority, job.timeout_ms, job.max_attempts, job.backoff_ms, job.unique_for, job.tags`;

export interface JobRow extends ProgressRow {
  readonly owner_id: string;
  readonly run_at_ms: number | null;
  readonly priority: number;
  readonly timeout_ms: string | null;
  readonly max_attempts: number | null;
  readonly backoff_ms: string | null;
  readonly unique_for: string | null;
  readonly tags: string[];
}

export function toJobView(row: JobRow): JobView {
  return {
    ...toProgress(row),
    ownerId: row.owner_id,
    runAt: row.run_at_ms === null ? null : toDate(row.run_at_ms),
    priority: row.priority,
    timeoutMs: toNumber(row.timeout_ms),
    maxAttempts: row.max_attempts,
    backoffMs: toNumber(row.backoff_ms),
    uniqueFor: row.unique_for,
    tags: row.tags,
  };
}

/** From floating point: a whole millisecond may be less by a ten-thousandth of one. */
export function toDate(ms: number): Date {
  return new Date(Math.floor(ms + 0.0005));
}

function toNumber(text: string | null): number | null {
  return text === null ? null : Number(text);
}
