import type { Pool, PoolClient } from 'pg';
import { SELECT_STARTED, type StartedRow, type StartedTask, toStartedTask } from './started-task.ts';

/**
 * Which of an owner's ready tasks of the same priority come first. `oldest`: those of the oldest job. `widest`: the first
 * tasks of every job, so that a small job need not wait for all of a giant one. Taken in turns, neither can keep the
 * other waiting for ever.
 */
export type ClaimOrder = 'oldest' | 'widest';

const COLUMNS: Readonly<Record<ClaimOrder, string>> = { oldest: 'job_id, seq', widest: 'seq, job_id' };

/** Before all owners. */
export const FIRST_OWNER = '00000000-0000-0000-0000-000000000000';

/**
 * ready → running, for up to `limit` tasks of the given types. The claim is the start of an attempt: its number grows
 * and its lease runs by the database's clock. Claims of several replicas never meet (SKIP LOCKED).
 *
 * Owners share alike: `lane` finds who has ready tasks, one look into the index each, and each gets the same part of the
 * limit, however many tasks the others have. What one leaves over is the next claim's.
 */
function statement(order: ClaimOrder): string {
  const nextOwner = (of: string) => `(
      select owner_id from task where type = ${of} and state = 'ready' and owner_id > `;
  return `
  with recursive lane as (
    select wanted.type, ${nextOwner('wanted.type')} $5::uuid order by owner_id limit 1) as owner_id, 1 as place
    from unnest($1::text[]) as wanted(type)
    union all
    select lane.type, ${nextOwner('lane.type')} lane.owner_id order by owner_id limit 1), place + 1
    from lane where lane.owner_id is not null and place < $2
  ), sharer as materialized (
    select type, owner_id, ceil($2::numeric / count(*) over ())::int as share from lane where owner_id is not null
  ), candidate as (
    select t.job_id, t.seq
    from sharer
    cross join lateral (
      select job_id, seq from task
      where type = sharer.type and owner_id = sharer.owner_id and state = 'ready'
      order by priority desc, ${COLUMNS[order]}
      limit case when $6::int is null then sharer.share else greatest(0, least(sharer.share, $6 - (
        select count(*) from task r where r.state = 'running' and r.owner_id = sharer.owner_id)))::int end
      for update skip locked
    ) t
    limit $2
  ), started as (
    update task set state = 'running', attempt = attempt + 1, executor_id = $3,
      lease_until = clock_timestamp() + $4 * interval '1 ms'
    from candidate c
    where task.job_id = c.job_id and task.seq = c.seq and task.state = 'ready'
    returning task.*
  )
  select claimed.*, (select count(*)::int from sharer) as owners from (${SELECT_STARTED}) claimed`;
}

const STATEMENTS = { oldest: statement('oldest'), widest: statement('widest') };

export interface Claim {
  /** Slugs. */
  readonly types: readonly string[];
  readonly limit: number;
  readonly order: ClaimOrder;
  /** Only owners with a higher id take part. */
  readonly afterOwner: string;
  /** Tasks that one owner may have running at the same time; null: no limit. */
  readonly maxRunningPerOwner: number | null;
  readonly executorId: string;
  readonly leaseMs: number;
}

export interface Claimed {
  readonly tasks: StartedTask[];
  /** More owners have ready tasks than could get a part: the next claim should begin with others. */
  readonly crowded: boolean;
}

export async function claimTasks(database: Pool | PoolClient, claim: Claim): Promise<Claimed> {
  const { rows } = await database.query<StartedRow & { owners: number }>({
    name: `claim-${claim.order}-tasks`,
    text: STATEMENTS[claim.order],
    values: [
      claim.types,
      claim.limit,
      claim.executorId,
      claim.leaseMs,
      claim.afterOwner,
      claim.maxRunningPerOwner,
    ],
  });
  return { tasks: rows.map(toStartedTask), crowded: (rows[0]?.owners ?? 0) >= claim.limit };
}
