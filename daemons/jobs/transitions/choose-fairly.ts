/**
 * Which of an owner's ready tasks of the same priority come first. `oldest`: those of the oldest job. `widest`: the first
 * tasks of every job, so that a small job need not wait for all of a giant one. Taken in turns, neither can keep the
 * other waiting for ever.
 */
export type ClaimOrder = 'oldest' | 'widest';

const COLUMNS: Readonly<Record<ClaimOrder, string>> = { oldest: 'job_id, seq', widest: 'seq, job_id' };

/** What a statement that chooses fairly is asked for. */
export interface FairChoice {
  /** Slugs. */
  readonly types: readonly string[];
  readonly limit: number;
  readonly order: ClaimOrder;
  /** Owners with a higher id come first: where the statement before has ended. */
  readonly afterOwner: string;
  /** Tasks that one owner may have running at the same time; null: no limit. */
  readonly maxRunningPerOwner: number | null;
}

/** What it has taken. */
export interface Taken<Task> {
  readonly tasks: Task[];
  /** Others may be ready: somebody has got all of his part, or not everybody took part. */
  readonly more: boolean;
  /** Behind whom the next statement begins. */
  readonly lastOwner: string;
}

/** Before all owners. */
export const FIRST_OWNER = '00000000-0000-0000-0000-000000000000';

/** A value, not a constant, which would offer the indexes of ready tasks where each task is known by its key. */
export const READY = `(select 'ready')`;

/** Who may have how many more running tasks; without a limit, as many as are asked for: nothing is counted then. */
const ROOM = {
  limited: {
    busy: `busy as materialized (
    select owner_id, count(*)::int as running from task where lease_until is not null group by owner_id
  ), `,
    room: `$4::int - coalesce((select running from busy where busy.owner_id = one.owner_id), 0)`,
  },
  unlimited: { busy: '', room: 'coalesce($4::int, $2)' },
};

/** Whether there is a limit of an owner's running tasks. */
export type Limits = keyof typeof ROOM;

/**
 * Begins a statement that takes ready tasks of the types $1, up to $2 of them: `candidate` has the tasks that come first,
 * locked, and `rest` says where the next one goes on. Statements of several replicas never meet (SKIP LOCKED).
 *
 * Owners share alike, however many tasks the others have. `lane` finds who has ready tasks, one look into the index for
 * each owner and type: those behind $3 come first, then the others, so that owners take turns where there are
 * more than places. Owners who may not have more running tasks than $4 are passed over; a task whose hint is at the broker
 * counts as running. `sharer` gives each lane its part of the limit; an owner's types are in no order, so that none stands
 * in front of the others. What one leaves over is the next statement's.
 *
 * To plan this takes as long as to do it, so that it must be worth PostgreSQL's while to keep the plan: one made for the
 * values of a single statement would promise less if it knew how many types there are. The limit of all candidates cuts
 * off none, but few are expected then, and each is looked up by its key, whatever the statistics said that day.
 */
export function chooseFairly(order: ClaimOrder, limits: Limits): string {
  const { busy, room } = ROOM[limits];
  return `
  with recursive ${busy}lane as (
    select type, section, case section when 0 then $3::uuid else '${FIRST_OWNER}' end as owner_id, 0 as room, 0 as found
    from unnest((select $1::text[])) as wanted(type) cross join (values (0), (1)) as sections(section)
    union all
    select lane.type, section, next.owner_id, next.room, found + (next.room > 0)::int
    from lane cross join lateral (
      select owner_id, ${room} as room
      from (
        select owner_id from task
        where type = lane.type and state = 'ready' and owner_id > lane.owner_id
        order by owner_id
        limit 1
      ) one
      where section = 0 or owner_id <= $3::uuid
    ) next
    where found < $2
  ), placed as (
    select type, owner_id, room, least($2, count(*) over ())::int as lanes,
      (row_number() over (order by section, owner_id, random()))::int as place
    from lane where room > 0
  ), shared as (
    select *, $2 / lanes + (place <= $2 % lanes)::int as share from placed where place <= $2
  ), sharer as materialized (
    select *, greatest(0, least(share, room - coalesce(sum(share) over (
      partition by owner_id order by place rows between unbounded preceding and 1 preceding), 0)))::int as part
    from shared
  ), candidate as materialized (
    select sharer.place, t.job_id, t.seq
    from sharer
    cross join lateral (
      select job_id, seq from task
      where type = sharer.type and owner_id = sharer.owner_id and state = 'ready'
      order by priority desc, ${COLUMNS[order]}
      limit sharer.part
      for update skip locked
    ) t
    limit $2
  ), rest as (
    select coalesce(bool_or(lanes = $2 or (part > 0 and part = (
        select count(*) from candidate where candidate.place = sharer.place))), false) as more,
      min(owner_id::text) filter (where place = 1 + ($2 - 1) % lanes) as last_owner
    from sharer
  )`;
}

/** What `rest` says. */
export interface RestRow {
  readonly more: boolean;
  readonly last_owner: string | null;
}

/** A statement for each order, with and without a limit of an owner's running tasks: what it does not name costs nothing. */
export function fairStatements(
  name: string,
  statement: (order: ClaimOrder, limits: Limits) => string,
): (choice: FairChoice) => { readonly name: string; readonly text: string } {
  const texts = {
    oldest: { limited: statement('oldest', 'limited'), unlimited: statement('oldest', 'unlimited') },
    widest: { limited: statement('widest', 'limited'), unlimited: statement('widest', 'unlimited') },
  };
  return function statementOf({ order, maxRunningPerOwner }) {
    const limits = maxRunningPerOwner === null ? 'unlimited' : 'limited';
    return { name: `${name}-${order}-${limits}`, text: texts[order][limits] };
  };
}

/** The values of $1 to $4. */
export function choiceValues({ types, limit, afterOwner, maxRunningPerOwner }: FairChoice): unknown[] {
  return [types, limit, afterOwner, maxRunningPerOwner];
}

/** @param toTask undefined for the row of a statement that has taken nothing */
export function toTaken<Row extends RestRow, Task>(
  rows: readonly Row[],
  toTask: (row: Row) => Task | undefined,
): Taken<Task> {
  return {
    tasks: rows.flatMap((row) => toTask(row) ?? []),
    more: rows[0]?.more ?? false,
    lastOwner: rows[0]?.last_owner ?? FIRST_OWNER,
  };
}
