import { Client } from 'pg';

/** No executor offers it. */
const FOREIGN_TYPE = 'bench-elsewhere';
const ROWS_AT_ONCE = 100_000;
const OTHER_OWNERS = 1_000;

export interface StoredJobs {
  /** Jobs that have ended, over 90 days, of several users and types; most were completed. */
  addFinished(count: number): Promise<void>;
  /** Jobs of another user, ready, of a type that no executor offers. */
  addForeign(count: number): Promise<void>;
  /** Users who own some of the finished jobs: one with a third of them, one with some hundred. */
  readonly owners: { readonly large: string; readonly small: string };
  close(): Promise<void>;
}

/**
 * Writes jobs as they lie in the tables after a long time in use, by SQL, because a million of them through the door
 * would take an hour. @param adminUrl a superuser's, of the jobs database
 * @param userId owns half of the finished jobs
 */
export async function openStoredJobs(adminUrl: string, userId: string): Promise<StoredJobs> {
  const client = new Client({ connectionString: adminUrl });
  await client.connect();

  /**
   * In several statements; statistics and visibility as autovacuum would leave them, and what was written is on the disk:
   * what is measured next does not wait for that.
   */
  async function add(count: number, statement: (from: number, to: number) => string): Promise<void> {
    for (let from = 0; from < count; from += ROWS_AT_ONCE) {
      await client.query(statement(from, Math.min(count, from + ROWS_AT_ONCE) - 1));
    }
    await client.query('vacuum (analyze) job');
    await client.query('vacuum (analyze) job_tag');
    await client.query('vacuum (analyze) job_in_progress');
    await client.query('vacuum (analyze) task');
    await client.query('checkpoint');
  }

  return {
    owners: { large: ownerId(0), small: ownerId(1) },
    addFinished: (count) => add(count, (from, to) => finishedJobs(from, to, count, userId)),
    addForeign: (count) => add(count, foreignJobs),
    close: () => client.end(),
  };
}

/** UUID of the nth other user. */
function ownerId(n: number): string {
  return `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
}

/** Of 100 jobs 96 are completed, 3 have failed, 1 was cancelled; of 1,000 one is a load and one is tagged `rare`. */
function finishedJobs(from: number, to: number, count: number, userId: string): string {
  return `
  with made as (
    select nextval(pg_get_serial_sequence('job', 'id')) as id, n,
      case when n % 2 = 0 then '${userId}'::uuid
        when n % 6 in (1, 3) then '${ownerId(0)}'::uuid
        else ('00000000-0000-4000-8000-' || lpad((1 + n / 6 % ${OTHER_OWNERS})::text, 12, '0'))::uuid end as owner_id,
      case when n % 1000 = 7 then 'load-products' when n % 10 < 4 then 'fibonacci' else 'no-op' end as type,
      case when n % 100 in (11, 42, 73) then 'FAILED' when n % 100 = 88 then 'CANCELLED' else 'COMPLETED' end as status,
      case when n % 1000 = 500 then '{rare,nightly}' when n % 5 = 1 then '{nightly}' else '{}' end::text[] as tags,
      now() - interval '1 hour' - (${count} - n) * (interval '90 days' / ${count}) as started_at
    from generate_series(${from}, ${to}) as n
  ), jobs as (
    insert into job (id, owner_id, type, status, size, completed, failed, started_at, ended_at, tags)
    select id, owner_id, type, status, 1, (status = 'COMPLETED')::int, (status = 'FAILED')::int,
      started_at, started_at + interval '20 ms', tags
    from made
  ), tagged as (
    insert into job_tag (tag, owner_id, type, started_at, job_id)
    select tag, owner_id, type, started_at, id from made cross join unnest(tags) as tag
  )
  insert into task (job_id, seq, type, owner_id, state, attempt, failures, available_at, executor_id, first_item,
    item_count, items, died_at, decided)
  select id, 0, type, owner_id,
    case status when 'COMPLETED' then 'succeeded' when 'FAILED' then 'dead' else 'cancelled' end,
    1, (status = 'FAILED')::int, started_at, 'bench', 0,
    1, '[{}]', case status when 'FAILED' then started_at end,
    case status when 'COMPLETED' then '[[0,1,{"number":"55"}]]'
      when 'FAILED' then '[[0,0,{"reason":"PERMANENT","message":"It is bad"}]]' else '[]' end::jsonb
  from made`;
}

function foreignJobs(from: number, to: number): string {
  return `
  with made as (
    select nextval(pg_get_serial_sequence('job', 'id')) as id from generate_series(${from}, ${to})
  ), jobs as (
    insert into job (id, owner_id, type, status, size)
    select id, '${ownerId(0)}'::uuid, '${FOREIGN_TYPE}', 'IN_PROGRESS', 1 from made
  )
  insert into task (job_id, seq, type, owner_id, first_item, item_count, items)
  select id, 0, '${FOREIGN_TYPE}', '${ownerId(0)}'::uuid, 0, 1, '[{}]' from made`;
}
