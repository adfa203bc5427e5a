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
  /** 1, and one more with each redrive. */
  readonly round: number;
}

/** The same text for a job that does not exist and for one that is not the caller's. */
export function jobNotFound(id: number): string {
  return `Job with ID ${id} not found`;
}

/** What a `JobRow` is selected by. */
export const JOB_COLUMNS = `id, owner_id, type, status, size, completed, failed,
  (extract(epoch from started_at) * 1000)::float8 as started_at_ms,
  (extract(epoch from ended_at) * 1000)::float8 as ended_at_ms, round`;

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
    endedAt: row.ended_at_ms === null ? null : new Date(row.ended_at_ms),
    round: row.round,
  };
}
