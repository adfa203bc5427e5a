import type { DecidedItem } from '@jobber/db/jobs';
import { type CustomTypesConfig, type Pool, types } from 'pg';
import { type JobProgress, type ProgressRow, toProgress } from '../job-view.ts';
import { COUNT_DECIDED_ITEMS, LOCK_JOBS_IN_PROGRESS } from './count-decided-items.ts';
import { ASKED_OUTCOMES, type DecidedAttempt, outcomeValues } from './outcome-columns.ts';
import { OUTCOME_FITS_TASK } from './outcome-fits-task.ts';

/** An attempt after which every item of its task is decided. */
export type FinishedAttempt = DecidedAttempt;

const HAS_FAILED_ITEM = `(a.failed > 0 or (task.decided <> '[]' and task.decided @? 'strict $[*] ? (@[1] == 0)'))`;

/** Of what a dead task died: of what failed in its last attempt, or else before. What was tried again and succeeded is no reason. */
const FATAL_ERROR = `coalesce(a.error, jsonb_path_query_first(task.decided, 'strict $[*] ? (@[1] == 0)') -> 2)`;

/** running → succeeded, or → dead when an item of the task has failed for good. */
const FINISH_ATTEMPTS = `
  with ${ASKED_OUTCOMES}, ${LOCK_JOBS_IN_PROGRESS}, changed as (
    update task set
      state = case when ${HAS_FAILED_ITEM} then 'dead' else 'succeeded' end,
      decided = case when task.decided = '[]' then a.decided else task.decided || a.decided end,
      counters = case when a.counters is null then task.counters else task.counters || a.counters end,
      lease_until = null,
      died_at = case when ${HAS_FAILED_ITEM} then clock_timestamp() end,
      last_error = case when ${HAS_FAILED_ITEM} then ${FATAL_ERROR} ->> 'message' else last_error end
    from asked a join locked on locked.id = a.job_id
    where task.job_id = a.job_id and task.seq = a.seq and task.attempt = a.attempt and task.state = 'running'
      and jsonb_array_length(task.decided) + jsonb_array_length(a.decided) = task.item_count
      and ${OUTCOME_FITS_TASK}
    returning task.job_id, task.seq, task.attempt, task.type, a.succeeded, a.failed, locked.round, task.executor_id,
      task.state, case when task.state = 'dead' then ${FATAL_ERROR} end as error
  ), ${COUNT_DECIDED_ITEMS}, told as (
    insert into history (job_id, seq, attempt, round, event, executor_id, reason, message)
    select job_id, seq, attempt, round, 'died', executor_id, error ->> 'reason', error ->> 'message'
    from changed where state = 'dead'
  )
  select * from counted`;

const INT4_ARRAY = 1007;

/** Of many short lists of numbers, pg's own reading was a twentieth of all garbage of a job. */
const INTEGER_LISTS: CustomTypesConfig = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    oid === INT4_ARRAY
      ? (text: string) => text.slice(1, -1).split(',').map(Number)
      : types.getTypeParser(oid, format as 'text'),
};

/** The attempt's job after this attempt. Undefined: superseded, and nothing was changed. */
export type Finish = JobProgress | undefined;

/** @returns for each attempt, in order, what was recorded. */
export async function finishAttempts(pool: Pool, attempts: readonly FinishedAttempt[]): Promise<Finish[]> {
  const { rows } = await pool.query<ProgressRow & { seqs: number[]; attempts: number[] }>({
    name: 'finish-attempts',
    text: FINISH_ATTEMPTS,
    types: INTEGER_LISTS,
    values: outcomeValues(attempts, ({ decided }) => firstError(decided)),
  });
  const recorded = new Map<number, RecordedTasks>();
  for (const row of rows) {
    const job = toProgress(row);
    recorded.set(job.id, { job, seqs: row.seqs, attempts: row.attempts });
  }
  return attempts.map((attempt) => takeRecorded(recorded.get(attempt.jobId), attempt));
}

/** What was recorded of one job. */
interface RecordedTasks {
  readonly job: JobProgress;
  readonly seqs: (number | undefined)[];
  readonly attempts: readonly number[];
}

/** Of two copies of an attempt in one batch only the first is recorded. */
function takeRecorded(recorded: RecordedTasks | undefined, { seq, attempt }: FinishedAttempt): Finish {
  if (!recorded) return undefined;
  const { job, seqs, attempts } = recorded;
  const index = seqs.indexOf(seq);
  if (index === -1 || attempts[index] !== attempt) return undefined;
  seqs[index] = undefined;
  return job;
}

function firstError(decided: readonly DecidedItem[]): object | null {
  const failure = decided.find((item) => item[1] === 0);
  return failure ? failure[2] : null;
}
