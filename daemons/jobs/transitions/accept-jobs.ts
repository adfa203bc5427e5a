import type { Pool } from 'pg';

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
  readonly tasks: readonly NewTask[];
}

export interface NewTask {
  readonly firstItem: number;
  readonly itemCount: number;
  /** The items as a JSON array, or null when a range of the upload holds them. */
  readonly items: string | null;
  readonly byteFrom: number | null;
  readonly byteTo: number | null;
  readonly line: number | null;
}

/**
 * `existing`: the owner has used the idempotency key before. `upload-gone`: the upload was removed in the meantime.
 * Nothing was written then.
 */
export type Acceptance =
  | { readonly outcome: 'accepted'; readonly id: number; readonly startedAt: Date }
  | { readonly outcome: 'existing' }
  | { readonly outcome: 'upload-gone' };

/** The lock on `kept_upload` keeps `expire-uploads` from removing a file that a job accepted right now reads. */
const ACCEPT_JOBS = `
  with asked as materialized (
    select nextval(pg_get_serial_sequence('job', 'id')) as id, a.*
    from unnest($1::uuid[], $2::text[], $3::int[], $4::text[], $5::text[], $6::bytea[])
      with ordinality as a(owner_id, type, size, upload_name, idempotency_key, input_hash, ord)
  ), kept_upload as materialized (
    select name from upload where name = any($4::text[]) and removed_at is null for key share
  ), accepted as (
    insert into job (id, owner_id, type, status, size, upload_name, idempotency_key, input_hash)
    select id, owner_id, type, 'IN_PROGRESS', size, upload_name, idempotency_key, input_hash from asked
    where upload_name is null or upload_name in (select name from kept_upload)
    on conflict (owner_id, idempotency_key) where idempotency_key is not null do nothing
    returning id, started_at
  ), tasks as (
    insert into task (job_id, seq, type, owner_id, first_item, item_count, items, byte_from, byte_to, line)
    select asked.id, t.seq, asked.type, asked.owner_id, t.first_item, t.item_count, t.items, t.byte_from, t.byte_to, t.line
    from unnest($7::int[], $8::int[], $9::int[], $10::int[], $11::text[], $12::bigint[], $13::bigint[], $14::bigint[])
      as t(ord, seq, first_item, item_count, items, byte_from, byte_to, line)
    join asked using (ord)
    join accepted on accepted.id = asked.id
  )
  select asked.id, (extract(epoch from accepted.started_at) * 1000)::float8 as started_at_ms,
    upload_name is not null and upload_name not in (select name from kept_upload) as upload_gone
  from asked left join accepted on accepted.id = asked.id
  order by asked.ord`;

/** Writes jobs and all of their tasks, in state `ready`, in one statement: all of them or none. */
export async function acceptJobs(pool: Pool, jobs: readonly NewJob[]): Promise<Acceptance[]> {
  const tasks = jobs.flatMap((job, index) =>
    job.tasks.map((task, seq) => ({ ...task, ord: index + 1, seq })),
  );
  const { rows } = await pool.query<{ id: string; started_at_ms: number | null; upload_gone: boolean }>({
    name: 'accept-jobs',
    text: ACCEPT_JOBS,
    values: [
      jobs.map((job) => job.ownerId),
      jobs.map((job) => job.type),
      jobs.map((job) => job.size),
      jobs.map((job) => job.uploadName),
      jobs.map((job) => job.idempotencyKey),
      jobs.map((job) => job.inputHash),
      tasks.map((task) => task.ord),
      tasks.map((task) => task.seq),
      tasks.map((task) => task.firstItem),
      tasks.map((task) => task.itemCount),
      tasks.map((task) => task.items),
      tasks.map((task) => task.byteFrom),
      tasks.map((task) => task.byteTo),
      tasks.map((task) => task.line),
    ],
  });
  return rows.map(({ id, started_at_ms: startedAt, upload_gone: gone }) =>
    startedAt === null
      ? { outcome: gone ? 'upload-gone' : 'existing' }
      : { outcome: 'accepted', id: Number(id), startedAt: new Date(startedAt) },
  );
}
