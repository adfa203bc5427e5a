import type { HistoryEvent, TaskState } from '@jobber/db/jobs';
import type { Pool } from 'pg';
import { type JobProgress, type ProgressRow, toProgress } from '../job-view.ts';
import { type AttemptRow, keyOf, refOfRow } from './attempt-ref.ts';
import { COUNT_DECIDED_ITEMS, LOCK_JOBS_IN_PROGRESS } from './count-decided-items.ts';
import { ASKED_OUTCOMES, type DecidedAttempt, outcomeValues } from './outcome-columns.ts';
import { OUTCOME_FITS_TASK } from './outcome-fits-task.ts';

/** An attempt that left items undecided: its task goes back with the rest. */
export interface UnfinishedAttempt extends DecidedAttempt {
  /** Why the others are not. */
  readonly error: { readonly reason: string; readonly message: string } | null;
}

/** The parts in which the ways back differ, as SQL over `task`, its job `locked` and its job type `jt`. */
export interface WayBack {
  /** Names the prepared statement. */
  readonly name: string;
  /** Null: the history does not tell it. */
  readonly event: HistoryEvent | null;
  readonly to: Extract<TaskState, 'ready' | 'waiting'>;
  /** The counter that grows; null: none. */
  readonly counter: 'failures' | 'interruptions' | 'deferrals' | null;
  /** The task does not go back when the counter would reach this; null: always. */
  readonly limit: string | null;
  /** Wait before the next attempt, in milliseconds. */
  readonly waitMs: string;
  /** Which of the ways back are told in the history; null: each. */
  readonly told: string | null;
}

/** A task that went back. */
export interface ReturnedTask {
  /** Slug of its job type. */
  readonly type: string;
  /** Until it may be claimed, in milliseconds. */
  readonly waitMs: number;
  /** Its job afterwards, if the attempt has decided items. */
  readonly job: JobProgress | undefined;
}

/**
 * running → ready or waiting, for each attempt that still is the running one.
 * @returns undefined: superseded, or at the limit
 */
export type ReturnTasks = (
  pool: Pool,
  attempts: readonly UnfinishedAttempt[],
) => Promise<(ReturnedTask | undefined)[]>;

function statement({ event, to, counter, limit, waitMs, told }: WayBack): string {
  return `
  with ${ASKED_OUTCOMES}, ${LOCK_JOBS_IN_PROGRESS}, changed as (
    update task set
      state = '${to}',
      ${counter === null ? '' : `${counter} = ${counter} + 1,`}
      decided = task.decided || a.decided,
      counters = case when a.counters is null then task.counters else task.counters || a.counters end,
      last_error = coalesce(a.error ->> 'message', last_error),
      lease_until = null,
      available_at = clock_timestamp() + (${waitMs}) * interval '1 ms'
    from asked a join locked on locked.id = a.job_id, job_type jt
    where task.job_id = a.job_id and task.seq = a.seq and task.attempt = a.attempt and task.state = 'running'
      and jt.slug = task.type
      ${limit === null ? '' : `and ${counter} + 1 < ${limit}`}
      and jsonb_array_length(task.decided) + jsonb_array_length(a.decided) < task.item_count
      and ${OUTCOME_FITS_TASK}
    returning task.job_id, task.seq, task.attempt, task.type, task.available_at, a.succeeded, a.failed, a.error,
      locked.round, task.executor_id, ${counter === null ? 'null' : `task.${counter}`} as times
  ), ${COUNT_DECIDED_ITEMS}${event === null ? '' : tell(event, told)}
  select job_id, seq, attempt, type,
    greatest(0, extract(epoch from available_at - clock_timestamp()) * 1000)::float8 as wait_ms, null as job
  from changed
  union all
  select id, null, null, null, null, to_jsonb(counted) from counted`;
}

function tell(event: HistoryEvent, told: string | null): string {
  return `, told as (
    insert into history (job_id, seq, attempt, round, event, executor_id, reason, message, detail)
    select job_id, seq, attempt, round, '${event}', executor_id, error ->> 'reason', error ->> 'message',
      ${told === null ? 'null' : "jsonb_build_object('times', times)"}
    from changed ${told === null ? '' : `where ${told}`}
  )`;
}

/** A task that went back; or, with `job`, a job that has changed. */
type ReturnedRow =
  | (AttemptRow & { readonly type: string; readonly wait_ms: number; readonly job: null })
  | { readonly job_id: string; readonly job: ProgressRow };

/** The transition that takes tasks back this way. */
export function createReturnTasks(way: WayBack): ReturnTasks {
  const text = statement(way);
  return async function returnTasks(pool, attempts) {
    const { rows } = await pool.query<ReturnedRow>({
      name: way.name,
      text,
      values: outcomeValues(attempts, ({ error }) => error),
    });
    const jobs = new Map<string, JobProgress>();
    for (const row of rows) if (row.job) jobs.set(row.job_id, toProgress(row.job));
    const returned = new Map<string, ReturnedTask>();
    for (const row of rows) {
      if (row.job) continue;
      const { type, wait_ms: waitMs } = row;
      returned.set(keyOf(refOfRow(row)), { type, waitMs, job: jobs.get(row.job_id) });
    }
    return attempts.map((attempt) => {
      // Of two copies in one batch only the first counts.
      const key = keyOf(attempt);
      const task = returned.get(key);
      returned.delete(key);
      return task;
    });
  };
}
