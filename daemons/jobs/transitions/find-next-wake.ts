import type { Pool } from 'pg';

/** When the next waiting task or scheduled job is due. Reads only, the first entries of two indexes. */
const FIND_NEXT_WAKE = `
  select extract(epoch from least(
    (select available_at from task where state = 'waiting' order by available_at limit 1),
    (select scheduled_at from job where scheduled_at is not null order by scheduled_at limit 1)
  ) - clock_timestamp())::float8 * 1000 as wait_ms`;

/** @returns milliseconds from now, by the database's clock; undefined when nothing waits. */
export async function findNextWake(pool: Pool): Promise<number | undefined> {
  const { rows } = await pool.query<{ wait_ms: number | null }>({
    name: 'find-next-wake',
    text: FIND_NEXT_WAKE,
  });
  return rows[0]?.wait_ms ?? undefined;
}
