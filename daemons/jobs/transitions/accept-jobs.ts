import { columnText } from '@jobber/db/column-text';
import type { JobStatus } from '@jobber/db/jobs';
import type { Pool, PoolClient } from 'pg';
import { toDate } from '../job-view.ts';
import { TASKS_PER_STATEMENT } from './tasks-per-statement.ts';

/** A job that has passed every check, with its tasks. */
export interface NewJob {
  /** UUID. */
  readonly ownerId: string;
  /** Slug. */
  readonly type: string;
  readonly size: number;
  readonly uploadName: string | null;
  readonly idempotencyKey: string | null;
  /** SHA-256 of what was asked for. */
  readonly inputHash: Buffer | null;
  /** Of the request, as W3C Trace Context has it. */
  readonly traceparent: string;
  /** Null: everything as the job type says, at once. */
  readonly options: NewJobOptions | null;
  readonly tasks: readonly NewTask[];
}

/** What a request asks for besides its input. */
export interface NewJobOptions {
  /** -100 to 100; by default 0. */
  readonly priority?: number;
  /** Not before this time. */
  readonly runAt?: Date;
  /** The same in milliseconds from now, by the database's clock. */
  readonly delayMs?: number;
  readonly timeoutMs?: number;
  readonly maxAttempts?: number;
  readonly backoffMs?: number;
  readonly uniqueFor?: string;
  readonly tags?: readonly string[];
}

export interface NewTask {
  readonly firstItem: number;
  readonly itemCount: number;
  /** The items as a JSON array, or null when a range of the upload holds them. */
  readonly items: string | null;
  readonly byteFrom: number | null;
  readonly byteTo: number | null;
  readonly line: number | null;
  /** The executor that has a place for the task: its first attempt starts with the acceptance. */
  readonly executorId?: string;
  /** There is room at the broker: a hint of the task is published after the acceptance. */
  readonly dispatched?: true;
}

/**
 * `existing`: the owner has used the idempotency key before, or has an unfinished job that is unique for the same.
 * `upload-gone`: the upload was removed in the meantime. Nothing was written then.
 */
export type Acceptance =
  | {
      readonly outcome: 'accepted';
      readonly id: number;
      readonly status: JobStatus;
      readonly startedAt: Date;
      readonly runAt: Date | null;
    }
  | { readonly outcome: 'existing' }
  | { readonly outcome: 'upload-gone' };

/** What a statement has to reckon with: whatever it names costs each execution, also where nothing comes of it. */
interface Reckoning {
  /** Some of the jobs have a key that another may have. */
  readonly keys: boolean;
  readonly tags: boolean;
}

/** Writes those of the jobs asked for that `which` says. */
function insertJobs(which: string, ending: string): string {
  return `
    insert into job (id, owner_id, type, status, size, upload_name, idempotency_key, input_hash, priority, run_at,
      timeout_ms, max_attempts, backoff_ms, unique_for, tags, traceparent)
    select id, owner_id, type, case when run_at > now() then 'SCHEDULED' else 'IN_PROGRESS' end, size, upload_name,
      idempotency_key, input_hash, priority, run_at, (o ->> 'timeoutMs')::bigint, (o ->> 'maxAttempts')::int,
      (o ->> 'backoffMs')::bigint, o ->> 'uniqueFor',
      case when o ? 'tags' then array(select jsonb_array_elements_text(o -> 'tags')) else '{}' end, traceparent
    from asked
    where ${which} and (upload_name is null or upload_name in (select name from kept_upload))
    ${ending}
    returning id, owner_id, type, started_at, status, run_at, tags`;
}

/** Only those that have a key can meet another; looking for one costs each row two probes and a record in the log. */
const ACCEPTED_BY_KEY = `
  keyless as (${insertJobs('not keyed', '')}
  ), keyed as (${insertJobs(
    'keyed',
    // Whoever writes the same keys at the same time waits; in one order, so that two can't wait for each other.
    `order by owner_id, o ->> 'uniqueFor', case when o ->> 'uniqueFor' is null then idempotency_key end, id
    on conflict do nothing`,
  )}
  ), accepted as materialized (
    select * from keyless union all select * from keyed
  )`;

const TAGGED = `
  tagged as (
    insert into job_tag (tag, owner_id, type, started_at, job_id)
    select tag, owner_id, type, started_at, id from accepted cross join unnest(tags) as tag where tags <> '{}'
  )`;

/**
 * none → job IN_PROGRESS with tasks `ready` (or `running` or `dispatched`, where there is a place already),
 * or SCHEDULED with tasks `waiting`. The lock on `kept_upload` keeps `expire-uploads` from removing a file
 * that a job accepted right now reads.
 */
function statement({ keys, tags }: Reckoning): string {
  return `
  with asked as materialized (
    select nextval('job_id_seq') as id, a.*,
      coalesce((o ->> 'priority')::int, 0) as priority,
      coalesce((o ->> 'runAt')::timestamptz, now() + (o ->> 'delayMs')::float8 * interval '1 ms') as run_at,
      idempotency_key is not null or coalesce(o ? 'uniqueFor', false) as keyed
    from unnest($1::uuid[], $2::text[], $3::int[], $4::text[], $5::text[], $6::bytea[], $7::jsonb[], $20::text[])
      with ordinality as a(owner_id, type, size, upload_name, idempotency_key, input_hash, o, traceparent, ord)
  ), kept_upload as materialized (
    select name from upload where name = any($4::text[]) and removed_at is null for key share
  ), ${keys ? ACCEPTED_BY_KEY : `accepted as (${insertJobs('true', '')})`},
  ${tags ? `${TAGGED},` : ''} tasks as (
    insert into task (job_id, seq, type, owner_id, priority, state, available_at, attempt, executor_id, lease_until,
      first_item, item_count, items, byte_from, byte_to, line)
    select asked.id, t.seq, asked.type, asked.owner_id, asked.priority,
      case when accepted.status = 'SCHEDULED' then 'waiting' when started then 'running' when t.dispatched then 'dispatched'
        else 'ready' end,
      case when accepted.status = 'SCHEDULED' then accepted.run_at else now() end,
      started::int, case when started then t.executor_id end,
      case when accepted.status = 'SCHEDULED' then null when started then clock_timestamp() + $18 * interval '1 ms'
        when t.dispatched then clock_timestamp() + $19 * interval '1 ms' end,
      t.first_item, t.item_count, t.items, t.byte_from, t.byte_to, t.line
    from unnest($8::int[], $9::int[], $10::int[], $11::int[], $12::text[], $13::bigint[], $14::bigint[], $15::bigint[],
      $16::text[], $17::bool[]) as t(ord, seq, first_item, item_count, items, byte_from, byte_to, line, executor_id, dispatched)
    join asked using (ord)
    join accepted on accepted.id = asked.id
    cross join lateral (
      select t.executor_id is not null and accepted.status = 'IN_PROGRESS' as started
    ) s
  )
  select asked.id, accepted.status, date_part('epoch', accepted.started_at) * 1000 as started_at_ms,
    date_part('epoch', accepted.run_at) * 1000 as run_at_ms,
    upload_name is not null and upload_name not in (select name from kept_upload) as upload_gone
  from asked left join accepted on accepted.id = asked.id
  order by asked.ord`;
}

interface AcceptanceRow {
  readonly id: string;
  readonly status: JobStatus | null;
  readonly started_at_ms: number | null;
  readonly run_at_ms: number | null;
  readonly upload_gone: boolean;
}

/** How long tasks are held that do not wait for their turn, in milliseconds. */
export interface FirstLeases {
  /** Those that start with the acceptance. */
  readonly leaseMs: number;
  /** Those whose hint is published then. */
  readonly hintMs: number;
}

/** More tasks of a job that was accepted in the same transaction. */
const MORE_TASKS = `
  insert into task (job_id, seq, type, owner_id, priority, state, available_at, first_item, item_count, items, byte_from,
    byte_to, line)
  select job.id, t.seq, job.type, job.owner_id, job.priority,
    case job.status when 'SCHEDULED' then 'waiting' else 'ready' end,
    case job.status when 'SCHEDULED' then job.run_at else now() end,
    t.first_item, t.item_count, t.items, t.byte_from, t.byte_to, t.line
  from unnest($1::bigint[], $2::int[], $3::int[], $4::int[], $5::text[], $6::bigint[], $7::bigint[], $8::bigint[])
    as t(job_id, seq, first_item, item_count, items, byte_from, byte_to, line)
  join job on job.id = t.job_id`;

interface NumberedTask {
  readonly task: NewTask;
  /** Its job's place in the request, from 1. */
  readonly ord: number;
  readonly seq: number;
}

export function countTasks(jobs: readonly NewJob[]): number {
  return jobs.reduce((sum, job) => sum + job.tasks.length, 0);
}

/**
 * Writes jobs and all of their tasks: all of them or none. What has more than 10,000 tasks needs a transaction, and none of
 * these may have a place.
 */
export async function acceptJobs(
  database: Pool | PoolClient,
  jobs: readonly NewJob[],
  leases: FirstLeases,
): Promise<Acceptance[]> {
  const tasks = numberTasks(jobs);
  const rows = await writeJobs(database, jobs, tasks.slice(0, TASKS_PER_STATEMENT), leases);
  const rest = tasks.slice(TASKS_PER_STATEMENT).filter(({ ord }) => rows[ord - 1]?.status);
  for (let from = 0; from < rest.length; from += TASKS_PER_STATEMENT) {
    const some = rest.slice(from, from + TASKS_PER_STATEMENT);
    await database.query(MORE_TASKS, [
      columnText(some, ({ ord }) => rows[ord - 1]?.id ?? null),
      ...taskColumns(some),
    ]);
  }
  return rows.map(toAcceptance);
}

function numberTasks(jobs: readonly NewJob[]): NumberedTask[] {
  const tasks: NumberedTask[] = [];
  for (const [index, job] of jobs.entries()) {
    for (const [seq, task] of job.tasks.entries()) tasks.push({ task, ord: index + 1, seq });
  }
  return tasks;
}

async function writeJobs(
  database: Pool | PoolClient,
  jobs: readonly NewJob[],
  tasks: readonly NumberedTask[],
  { leaseMs, hintMs }: FirstLeases,
): Promise<AcceptanceRow[]> {
  const keys = jobs.some((job) => job.idempotencyKey !== null || job.options?.uniqueFor !== undefined);
  const tags = jobs.some((job) => job.options?.tags !== undefined);
  const { rows } = await database.query<AcceptanceRow>({
    name: `accept-jobs${keys ? '-by-key' : ''}${tags ? '-with-tags' : ''}`,
    text: statement({ keys, tags }),
    values: [
      columnText(jobs, (job) => job.ownerId),
      columnText(jobs, (job) => job.type),
      columnText(jobs, (job) => job.size),
      columnText(jobs, (job) => job.uploadName),
      columnText(jobs, (job) => job.idempotencyKey),
      columnText(jobs, (job) => job.inputHash && `\\x${job.inputHash.toString('hex')}`),
      columnText(jobs, (job) => job.options && JSON.stringify(job.options)),
      columnText(tasks, ({ ord }) => ord),
      ...taskColumns(tasks),
      columnText(tasks, ({ task }) => task.executorId ?? null),
      columnText(tasks, ({ task }) => task.dispatched ?? false),
      leaseMs,
      hintMs,
      columnText(jobs, (job) => job.traceparent),
    ],
  });
  return rows;
}

function taskColumns(tasks: readonly NumberedTask[]): string[] {
  return [
    columnText(tasks, ({ seq }) => seq),
    columnText(tasks, ({ task }) => task.firstItem),
    columnText(tasks, ({ task }) => task.itemCount),
    columnText(tasks, ({ task }) => task.items),
    columnText(tasks, ({ task }) => task.byteFrom),
    columnText(tasks, ({ task }) => task.byteTo),
    columnText(tasks, ({ task }) => task.line),
  ];
}

function toAcceptance(row: AcceptanceRow): Acceptance {
  const { id, status, started_at_ms: startedAt, run_at_ms: runAt, upload_gone: gone } = row;
  if (status === null || startedAt === null) return { outcome: gone ? 'upload-gone' : 'existing' };
  return {
    outcome: 'accepted',
    id: Number(id),
    status,
    startedAt: toDate(startedAt),
    runAt: runAt === null ? null : toDate(runAt),
  };
}
