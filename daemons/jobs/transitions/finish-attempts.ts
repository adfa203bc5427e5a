import type { DecidedItem, JobStatus } from '@jobber/db/jobs';
import type { Pool } from 'pg';
import { type AttemptRef, type AttemptRow, columnsOf, keyOf, refOfRow } from './attempt-ref.ts';
import { COUNT_DECIDED_ITEMS, LOCK_JOBS_IN_PROGRESS } from './count-decided-items.ts';
import { OUTCOME_FITS_TASK } from './outcome-fits-task.ts';

/** An attempt after which every item of its task is decided. */
export interface FinishedAttempt extends AttemptRef {
  /** The items that this attempt has decided. */
  readonly decided: readonly DecidedItem[];
  readonly counters: Readonly<Record<string, number>> | null;
}

/** running → succeeded, or → dead when an item of the task has failed for good. */
const FINISH_ATTEMPTS = `
  with asked as (
    select * from unnest($1::bigint[], $2::int[], $3::int[], $4::int[], $5::int[], $6::jsonb[], $7::jsonb[], $8::int[])
      as a(job_id, seq, attempt, succeeded, failed, decided, counters, max_offset)
  ), ${LOCK_JOBS_IN_PROGRESS}, changed as (
    update task set
      state = case
        when a.failed > 0 or task.decided @? '$[*] ? (@[1] == 0)' then 'dead' else 'succeeded' end,
      decided = task.decided || a.decided,
      counters = task.counters || a.counters,
      lease_until = null
    from asked a join locked on locked.id = a.job_id
    where task.job_id = a.job_id and task.seq = a.seq and task.attempt = a.attempt and task.state = 'running'
      and jsonb_array_length(task.decided) + jsonb_array_length(a.decided) = task.item_count
      and ${OUTCOME_FITS_TASK}
    returning task.job_id, task.seq, task.attempt, a.succeeded, a.failed
  ), ${COUNT_DECIDED_ITEMS}
  select job_id, seq, attempt, null as status from changed
  union all
  select id, null, null, status from counted`;

/** What became of an attempt's job: its status after this attempt. Undefined: superseded, and nothing was changed. */
export type Finish = { readonly jobStatus: JobStatus } | undefined;

/** @returns for each attempt, in order, what was recorded. */
export async function finishAttempts(pool: Pool, attempts: readonly FinishedAttempt[]): Promise<Finish[]> {
  const { rows } = await pool.query<FinishRow>({
    name: 'finish-attempts',
    text: FINISH_ATTEMPTS,
    values: [
      ...columnsOf(attempts),
      attempts.map(({ decided }) => decided.filter((item) => item[1] === 1).length),
      attempts.map(({ decided }) => decided.filter((item) => item[1] === 0).length),
      attempts.map(({ decided }) => JSON.stringify(decided)),
      attempts.map(({ counters }) => JSON.stringify(counters ? [counters] : [])),
      attempts.map(({ decided }) => decided.reduce((max, item) => Math.max(max, item[0]), -1)),
    ],
  });
  const statuses = new Map<number, JobStatus>();
  const recorded = new Set<string>();
  for (const row of rows) {
    if (row.status === null) recorded.add(keyOf(refOfRow(row)));
    else statuses.set(Number(row.job_id), row.status);
  }
  return attempts.map((attempt) => {
    // Of two copies in one batch only the first is recorded.
    const jobStatus = recorded.delete(keyOf(attempt)) ? statuses.get(attempt.jobId) : undefined;
    return jobStatus && { jobStatus };
  });
}

/** An attempt that was recorded; or, with a status, a job that has changed. */
type FinishRow =
  | (AttemptRow & { readonly status: null })
  | { readonly job_id: string; readonly status: JobStatus };
