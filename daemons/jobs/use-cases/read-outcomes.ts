import type { DecidedItem } from '@jobber/db/jobs';
import { refuse } from '@jobber/shared/errors';
import type { Pool } from 'pg';

/** How an item of a job ended. */
export interface ItemOutcome {
  /** In the job, from 0. */
  readonly index: number;
  readonly status: 'SUCCEEDED' | 'FAILED';
  readonly result: unknown;
  readonly error: { readonly reason: string; readonly message: string } | null;
}

const MAX_LIMIT = 1_000;

interface OutcomeRow {
  index: number;
  decided: DecidedItem;
}

function outcomesQuery(condition: string): string {
  return `
    select (task.first_item + (d -> 0)::int) as index, d as decided
    from task cross join lateral jsonb_array_elements(task.decided) d
    where task.job_id = $1 and task.first_item + task.item_count > $2 and task.first_item + (d -> 0)::int > $2
      and ${condition}
    order by task.seq, (d -> 0)::int
    limit $3`;
}

/** Decided items by index, after the given one. */
export async function readItems(pool: Pool, jobId: number, page: { limit: number; after: number }) {
  return query(pool, 'read-items', outcomesQuery('true'), jobId, page);
}

/** Failed items by index. */
export async function readErrors(pool: Pool, jobId: number, page: { limit: number }) {
  return query(pool, 'read-errors', outcomesQuery('(d -> 1)::int = 0'), jobId, { ...page, after: -1 });
}

async function query(
  pool: Pool,
  name: string,
  text: string,
  jobId: number,
  { limit, after }: { limit: number; after: number },
): Promise<ItemOutcome[]> {
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT) {
    refuse('INVALID_INPUT', `limit must be a whole number from 1 to ${MAX_LIMIT}, got ${limit}`, {
      limit: MAX_LIMIT,
    });
  }
  if (!Number.isInteger(after) || Math.abs(after) > 2_147_483_647) {
    refuse('INVALID_INPUT', `after must be the index of an item, got ${after}`);
  }
  const { rows } = await pool.query<OutcomeRow>({ name, text, values: [jobId, after, limit] });
  return rows.map(({ index, decided }) => ({
    index,
    status: decided[1] === 1 ? 'SUCCEEDED' : 'FAILED',
    result: decided[1] === 1 ? decided[2] : null,
    error: decided[1] === 1 ? null : decided[2],
  }));
}

/** Sums over all tasks of a job, for example {created: 12}; null when nothing was counted. */
export async function readCounters(pool: Pool, jobId: number): Promise<Record<string, number> | null> {
  const { rows } = await pool.query<{ name: string; total: string }>({
    name: 'read-counters',
    text: `
      select pair.key as name, sum(pair.value::bigint) as total
      from task cross join lateral jsonb_array_elements(task.counters) c cross join lateral jsonb_each_text(c) pair
      where task.job_id = $1
      group by pair.key order by pair.key`,
    values: [jobId],
  });
  return rows.length === 0 ? null : Object.fromEntries(rows.map(({ name, total }) => [name, Number(total)]));
}
