import type { Database } from '@jobber/db/connection';
import { refuse } from '@jobber/shared/errors';

/** @throws AppError 429 THROTTLED with `details.retryAfterSeconds` while the key is blocked */
export async function refuseWhileBlocked({ pool }: Database, key: string): Promise<void> {
  const { rows } = await pool.query<{ seconds: number }>({
    name: 'seconds-blocked',
    text: `
      select ceil(extract(epoch from blocked_until - clock_timestamp()))::int as seconds
      from throttle where key = $1 and blocked_until > clock_timestamp()`,
    values: [key],
  });
  const [blocked] = rows;
  if (!blocked) return;
  const { seconds } = blocked;
  refuse(
    'THROTTLED',
    `Too many failed attempts; try again in ${seconds} ${seconds === 1 ? 'second' : 'seconds'}`,
    {
      retryAfterSeconds: seconds,
    },
  );
}
