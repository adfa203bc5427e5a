import type { Database } from '@jobber/db/connection';
import { refuse } from '@jobber/shared/errors';

/** From the first registration on, in seconds: then the count starts anew. */
const WINDOW_SECONDS = 3_600;

/**
 * Counts a registration, unless `limit` have been counted within the hour: before its outcome is known, so that those that
 * arrive together can't all get in. `takeBackRegistration` undoes it when nobody was registered.
 * @throws AppError 429 THROTTLED with `details.limit` and `details.retryAfterSeconds`
 */
export async function countRegistration({ pool }: Database, key: string, limit: number): Promise<void> {
  const values = [key, WINDOW_SECONDS];
  const counted = await pool.query({
    name: 'count-registration',
    text: `
      insert into throttle as t (key, failures, last_failure_at, blocked_until)
      values ($1, 1, clock_timestamp(), clock_timestamp())
      on conflict (key) do update set (failures, last_failure_at) = (
        select case when is_over then 1 else t.failures + 1 end,
          case when is_over then clock_timestamp() else t.last_failure_at end
        from (select t.last_failure_at <= clock_timestamp() - make_interval(secs => $2) as is_over) age
      )
      where t.failures < $3 or t.last_failure_at <= clock_timestamp() - make_interval(secs => $2)`,
    values: [...values, limit],
  });
  if (counted.rowCount === 1) return;
  const { rows } = await pool.query<{ seconds: number }>({
    name: 'seconds-until-registration',
    text: `
      select greatest(1, ceil($2 - extract(epoch from clock_timestamp() - last_failure_at)))::int as seconds
      from throttle where key = $1`,
    values,
  });
  const retryAfterSeconds = rows[0]?.seconds ?? 1;
  const minutes = Math.ceil(retryAfterSeconds / 60);
  refuse(
    'THROTTLED',
    `At most ${limit} users an hour can be registered from one address; try again in ${minutes} ${minutes === 1 ? 'minute' : 'minutes'}`,
    { limit, retryAfterSeconds },
  );
}

export async function takeBackRegistration({ pool }: Database, key: string): Promise<void> {
  await pool.query({
    name: 'take-back-registration',
    text: `
      with first as (delete from throttle where key = $1 and failures = 1)
      update throttle set failures = failures - 1 where key = $1 and failures > 1`,
    values: [key],
  });
}
