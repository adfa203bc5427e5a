import type { Progress } from '@jobber/shared/progress';
import type { Pool } from 'pg';
import { type AttemptRef, type AttemptRow, columnsOf, keyOf, refOfRow } from './attempt-ref.ts';
import { againAfterDeadlock } from './run-batch.ts';

export type LeaseStatus = 'renewed' | 'lost' | 'cancelled';

/**
 * running → running, with a longer lease, for the attempts that still are the running ones; with their progress, where there
 * is news of it.
 */
const RENEW_LEASES = `
  with asked as (
    select * from unnest($1::bigint[], $2::int[], $3::int[], $5::jsonb[]) as a(job_id, seq, attempt, progress)
  ), renewed as (
    update task set lease_until = clock_timestamp() + $4 * interval '1 ms',
      progress = coalesce(
        a.progress || jsonb_build_object('attempt', a.attempt, 'at', floor(extract(epoch from clock_timestamp()) * 1000)),
        task.progress)
    from asked a
    where task.job_id = a.job_id and task.seq = a.seq and task.attempt = a.attempt and task.state = 'running'
    returning task.job_id, task.seq, task.attempt
  )
  select a.job_id, a.seq, a.attempt,
    case
      when r.attempt is not null then 'renewed'
      when t.attempt = a.attempt and t.state = 'cancelled' then 'cancelled'
      else 'lost' end as status
  from asked a
  left join renewed r using (job_id, seq, attempt)
  left join task t on t.job_id = a.job_id and t.seq = a.seq`;

/**
 * @param progress of attempts that have something new to say, by `keyOf`
 * @returns a status for each attempt, in order
 */
export async function renewLeases(
  pool: Pool,
  refs: readonly AttemptRef[],
  leaseMs: number,
  progress: ReadonlyMap<string, Progress> = new Map(),
): Promise<LeaseStatus[]> {
  const news = refs
    .map((ref) => progress.get(keyOf(ref)))
    .map((said) => (said ? JSON.stringify(said) : null));
  const { rows } = await againAfterDeadlock(() =>
    pool.query<AttemptRow & { status: LeaseStatus }>({
      name: 'renew-leases',
      text: RENEW_LEASES,
      values: [...columnsOf(refs), leaseMs, news],
    }),
  );
  const statuses = new Map(rows.map((row) => [keyOf(refOfRow(row)), row.status]));
  return refs.map((ref) => statuses.get(keyOf(ref)) ?? 'lost');
}
