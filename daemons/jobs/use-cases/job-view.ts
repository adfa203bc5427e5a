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
}

/** The same text for a job that does not exist and for one that is not the caller's. */
export function jobNotFound(id: number): string {
  return `Job with ID ${id} not found`;
}
