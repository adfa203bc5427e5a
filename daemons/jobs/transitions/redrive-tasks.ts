import type { Pool, PoolClient } from 'pg';
import { JOB_COLUMNS, type JobRow, type JobView, toJobView } from '../job-view.ts';
import { TASKS_PER_STATEMENT } from './tasks-per-statement.ts';

/** A task, as a dead letter is named: job and number. */
export interface TaskRef {
  readonly jobId: number;
  readonly seq: number;
}

/** Why a dead letter can't be run again. Stable words. */
export type RedriveRefusal =
  | 'NOT_DEAD'
  | 'JOB_CANCELLED'
  | 'JOB_UNFINISHED'
  | 'INPUT_GONE'
  | 'UNIQUE_CONFLICT';

export interface Redriven {
  /** What became of each task. */
  readonly tasks: readonly (TaskRef & {
    /** Slug. */
    readonly type: string;
    /** Null: it is run again. */
    readonly refusal: RedriveRefusal | null;
    /** Items that are run again. */
    readonly items: number;
  })[];
  /** The jobs whose new round has begun. */
  readonly jobs: readonly JobView[];
}

/**
 * dead → ready, in jobs that have FAILED, which are IN_PROGRESS again with a new round: the failed items get new attempts,
 * those that have succeeded stay. What had failed, and why, goes into the history. Name all tasks of a job together: they
 * are one round. That of a job in $4 has begun in the same transaction. The lock on `kept_upload` keeps `expire-uploads` from removing a file that is read again.
 */
const REDRIVE_TASKS = `
  with asked as (
    select distinct * from unnest($1::bigint[], $2::int[]) as a(job_id, seq)
  ), locked as materialized (
    select id, case when begun then 'FAILED' else status end as status, round - begun::int as round, upload_name, owner_id,
      type, unique_for
    from job cross join lateral (select id = any($4::bigint[]) as begun) b
    where id in (select job_id from asked)
    order by id
    for no key update
  ), kept_upload as materialized (
    select name from upload where name in (select upload_name from locked) and removed_at is null for key share
  ), dead as materialized (
    select task.job_id, task.seq, task.type, task.items, task.decided, task.attempt
    from task join asked a on task.job_id = a.job_id and task.seq = a.seq
    where task.state = 'dead' and task.job_id in (select id from locked)
    for update of task
  ), judged as materialized (
    select a.job_id, a.seq, dead.attempt, coalesce(locked.type, '') as type, locked.round + 1 as round,
      (select jsonb_agg(d) from jsonb_array_elements(dead.decided) d where (d -> 1)::int = 0) as failed,
      (select coalesce(jsonb_agg(d), '[]') from jsonb_array_elements(dead.decided) d where (d -> 1)::int = 1) as succeeded,
      case
        when dead.job_id is null then 'NOT_DEAD'
        when locked.status = 'CANCELLED' then 'JOB_CANCELLED'
        when locked.status <> 'FAILED' then 'JOB_UNFINISHED'
        when dead.items is null and locked.upload_name not in (select name from kept_upload) then 'INPUT_GONE'
        when locked.unique_for is not null and (twin.before is not null or exists (
          select from job other
          where other.id <> locked.id and other.owner_id = locked.owner_id and other.type = locked.type
            and other.unfinished_for = locked.unique_for)) then 'UNIQUE_CONFLICT'
      end as refusal
    from asked a
    left join locked on locked.id = a.job_id
    left join lateral (
      -- Of several that are unique for the same the first one is run again.
      select min(one.id) as before from locked one
      where one.id < locked.id and one.status = 'FAILED' and one.owner_id = locked.owner_id and one.type = locked.type
        and one.unique_for = locked.unique_for
    ) twin on true
    left join dead on dead.job_id = a.job_id and dead.seq = a.seq
  ), redriven as (
    update task set state = 'ready', decided = j.succeeded, failures = 0, interruptions = 0, deferrals = 0,
      died_at = null, available_at = clock_timestamp()
    from judged j
    where task.job_id = j.job_id and task.seq = j.seq and j.refusal is null and task.state = 'dead'
    returning task.job_id, task.seq, task.attempt, j.round, j.failed
  ), total as (
    select job_id, sum(jsonb_array_length(failed))::int as again from redriven group by job_id
  ), begun as (
    update job set status = 'IN_PROGRESS', failed = job.failed - again,
      round = job.round + (not (job.id = any($4::bigint[])))::int, ended_at = null
    -- The status is that of the locked row: the statement's own view of the job may be older than the lock.
    from total where job.id = total.job_id and job.id in (select id from locked where status = 'FAILED')
    returning ${JOB_COLUMNS}
  ), told as (
    insert into history (job_id, seq, attempt, round, event, detail)
    select job_id, seq, attempt, round, 'redriven', jsonb_build_object('by', $3::text, 'failed', failed) from redriven
  )
  select j.job_id, j.seq, j.type as task_type, j.refusal, coalesce(jsonb_array_length(j.failed), 0) as items, begun.*
  from judged j left join begun on begun.id = j.job_id
  order by j.job_id, j.seq`;

type RedriveRow = {
  readonly job_id: string;
  readonly seq: number;
  readonly task_type: string;
  readonly refusal: RedriveRefusal | null;
  readonly items: number;
} & (JobRow | { readonly id: null });

/**
 * More than 10,000 tasks need a transaction of the caller's.
 * @param by id of the user who asked for it
 */
export async function redriveTasks(
  database: Pool | PoolClient,
  tasks: readonly TaskRef[],
  by: string,
): Promise<Redriven> {
  const redriven: Redriven['tasks'][number][] = [];
  const jobs = new Map<number, JobView>();
  for (let from = 0; from < tasks.length; from += TASKS_PER_STATEMENT) {
    const some = tasks.slice(from, from + TASKS_PER_STATEMENT);
    // Not prepared: a plan that is kept reckons with a few tasks, and compares each of many with each.
    const { rows } = await database.query<RedriveRow>(REDRIVE_TASKS, [
      some.map(({ jobId }) => jobId),
      some.map(({ seq }) => seq),
      by,
      [...jobs.keys()],
    ]);
    const changed = new Map(rows.flatMap((row) => (row.id === null ? [] : [[Number(row.id), row]])));
    for (const [id, row] of changed) jobs.set(id, toJobView(row));
    redriven.push(...rows.map(toRedrivenTask));
  }
  return { tasks: redriven, jobs: [...jobs.values()] };
}

function toRedrivenTask(row: RedriveRow): Redriven['tasks'][number] {
  return {
    jobId: Number(row.job_id),
    seq: row.seq,
    type: row.task_type,
    refusal: row.refusal,
    items: row.refusal === null ? row.items : 0,
  };
}
