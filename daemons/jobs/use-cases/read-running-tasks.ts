import type { TaskProgress } from '@jobber/db/jobs';
import { refuse } from '@jobber/shared/errors';
import { createGroupCommit } from '@jobber/shared/group-commit';
import { checkLimit } from '@jobber/shared/paging';
import type { Pool } from 'pg';

/** A task of a job that an executor is running. */
export interface RunningTaskView {
  /** Number of the task in its job, from 0. */
  readonly task: number;
  readonly attempt: number;
  /** How many items it has. */
  readonly items: number;
  readonly executor: string | null;
  /** What the handler of this attempt has said last; null when it has said nothing. */
  readonly progress: ProgressView | null;
}

export interface ProgressView {
  readonly done: number;
  /** Null when it is not known. */
  readonly total: number | null;
  readonly note: string | null;
  /** When it was stored. */
  readonly at: Date;
}

export interface RunningTasksPage {
  /** 1 to 1,000. */
  readonly limit: number;
  /** Number of the last task of the page before. */
  readonly after?: number;
}

const MAX_LIMIT = 1_000;
const MAX_SEQ = 2_147_483_647;

/** Of a job that is watched. */
const MAX_WATCHED_TASKS = 20;

/**
 * What runs, of all jobs, is little beside the tasks that a large job may have: it is found by its
 * leases, and only then by its job.
 */
const RUNNING = `
  with running as materialized (
    select job_id, seq, attempt, item_count, executor_id, progress from task
    where lease_until is not null and state = 'running'
  )`;

const READ_RUNNING_TASKS = `
  ${RUNNING}
  select seq, attempt, item_count, executor_id, progress from running
  where job_id = $1 and seq > $2
  order by seq
  limit $3`;

const READ_TOLD_TASKS = `
  ${RUNNING}
  select job_id, seq, attempt, item_count, executor_id, progress from (
    select *, row_number() over (partition by job_id order by seq) as nth from running
    where job_id = any($1::bigint[]) and (progress ->> 'attempt')::int = attempt
  ) told
  where nth <= ${MAX_WATCHED_TASKS}
  order by job_id, seq`;

interface RunningTaskRow {
  readonly seq: number;
  readonly attempt: number;
  readonly item_count: number;
  readonly executor_id: string | null;
  readonly progress: TaskProgress | null;
}

/** The tasks of a job that run, by number, a page at a time. @throws AppError 400 INVALID_INPUT */
export async function readRunningTasks(
  pool: Pool,
  jobId: number,
  { limit, after = -1 }: RunningTasksPage,
): Promise<RunningTaskView[]> {
  checkLimit(limit, MAX_LIMIT);
  if (!Number.isInteger(after) || after < -1 || after > MAX_SEQ)
    refuse('INVALID_INPUT', `after must be the number of a task, got ${after}`);
  const { rows } = await pool.query<RunningTaskRow>({
    name: 'read-running-tasks',
    text: READ_RUNNING_TASKS,
    values: [jobId, after, limit],
  });
  return rows.map(toView);
}

/** The first running tasks of a job whose handlers have said how far they are; at most 20. */
export type ReadToldTasks = (jobId: number) => Promise<RunningTaskView[]>;

/** Reads that arrive together are one query: many jobs are watched at the same time. */
export function createReadToldTasks(pool: Pool): ReadToldTasks {
  const reads = createGroupCommit<number, RunningTaskView[]>({
    maxBatch: 500,
    concurrency: 1,
    async run(ids) {
      const query = { name: 'read-told-tasks', text: READ_TOLD_TASKS, values: [ids] };
      const { rows } = await pool.query<RunningTaskRow & { job_id: string }>(query);
      const ofJob = Map.groupBy(rows, (row) => Number(row.job_id));
      return ids.map((id) => (ofJob.get(id) ?? []).map(toView));
    },
  });
  return (jobId) => reads.submit(jobId);
}

function toView({ seq, attempt, item_count, executor_id, progress }: RunningTaskRow): RunningTaskView {
  return {
    task: seq,
    attempt,
    items: item_count,
    executor: executor_id,
    progress: progress?.attempt === attempt ? toProgressView(progress) : null,
  };
}

function toProgressView({ done, total, note, at }: TaskProgress): ProgressView {
  return { done, total: total || null, note: note || null, at: new Date(at) };
}
