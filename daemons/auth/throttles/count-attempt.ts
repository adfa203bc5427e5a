import type { Database } from '@jobber/db/connection';
import { refuseWhileBlocked } from './refuse-while-blocked.ts';
import type { ThrottleRule } from './throttle-rules.ts';

const DELAY = `case when next.failures > $2
  then make_interval(secs => least($3, power(2, least(next.failures - $2 - 1, 20))))
  else interval '0' end`;

const COUNT = `
  insert into throttle as t (key, failures, last_failure_at, blocked_until)
  select $1, next.failures, clock_timestamp(), clock_timestamp() + ${DELAY}
  from (select 1 as failures) next
  on conflict (key) do update set (failures, last_failure_at, blocked_until) = (
    select next.failures, clock_timestamp(), clock_timestamp() + ${DELAY}
    from (
      select case when t.last_failure_at < clock_timestamp() - make_interval(secs => $4) then 1
        else t.failures + 1 end as failures
    ) next
  )`;

/**
 * Counts an attempt as a failure before its outcome is known, unless the key is blocked: attempts that arrive together
 * can't all get in before the first is counted. A success takes it back with `forgetFailures`.
 * @throws AppError 429 THROTTLED with `details.retryAfterSeconds`
 */
export async function countAttempt(database: Database, key: string, rule: ThrottleRule): Promise<void> {
  const counted = await database.pool.query({
    name: 'count-attempt',
    text: `${COUNT} where t.blocked_until <= clock_timestamp()`,
    values: values(key, rule),
  });
  if (counted.rowCount === 0) await refuseWhileBlocked(database, key);
}

/** Counts a failure that is known already. */
export async function countFailure(database: Database, key: string, rule: ThrottleRule): Promise<void> {
  await database.pool.query({ name: 'count-failure', text: COUNT, values: values(key, rule) });
}

function values(key: string, { freeFailures, maxDelaySeconds, forgetAfterSeconds }: ThrottleRule) {
  return [key, freeFailures, maxDelaySeconds, forgetAfterSeconds];
}
