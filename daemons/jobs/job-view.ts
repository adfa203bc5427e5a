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

/** The same text for a job that does not exist and for one that is not the caller's. */
export function jobNotFound(id: number): string {
  return `Job with ID ${id} not found`;
}

/** What a `JobRow` is selected by, from `job`. */
export const JOB_COLUMNS = `job.id, job.owner_id, job.type, job.status, job.size, job.completed, job.failed,
  (extract(epoch from job.started_at) * 1000)::float8 as started_at_ms,
  (extract(epoch from job.ended_at) * 1000)::float8 as ended_at_ms,
  (extract(epoch from job.run_at) * 1000)::float8 as run_at_ms,
  job.priority, job.timeout_ms, job.max_attempts, job.backoff_ms, job.unique_for, job.tags, job.round`;

export interface JobRow {
  readonly id: string;
  readonly owner_id: string;
  readonly type: string;
  readonly status: JobStatus;
  readonly size: number;
  readonly completed: number;
  readonly failed: number;
  readonly started_at_ms: number;
  readonly ended_at_ms: number | null;
  readonly run_at_ms: number | null;
  readonly priority: number;
  readonly timeout_ms: string | null;
  readonly max_attempts: number | null;
  readonly backoff_ms: string | null;
  readonly unique_for: string | null;
  readonly tags: string[];
  readonly round: number;
}

export function toJobView(row: JobRow): JobView {
  return {
    id: Number(row.id),
    ownerId: row.owner_id,
    type: row.type,
    status: row.status,
    size: row.size,
    completed: row.completed,
    failed: row.failed,
    startedAt: new Date(row.started_at_ms),
    endedAt: toDate(row.ended_at_ms),
    runAt: toDate(row.run_at_ms),
    priority: row.priority,
    timeoutMs: toNumber(row.timeout_ms),
    maxAttempts: row.max_attempts,
    backoffMs: toNumber(row.backoff_ms),
    uniqueFor: row.unique_for,
    tags: row.tags,
    round: row.round,
  };
}

function toDate(ms: number | null): Date | null {
  return ms === null ? null : new Date(ms);
}

function toNumber(text: string | null): number | null {
  return text === null ? null : Number(text);
}
