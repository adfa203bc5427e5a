import type { Database } from '@jobber/db/connection';

/** After a success the count starts anew. */
export async function forgetFailures({ pool }: Database, key: string): Promise<void> {
  await pool.query({ name: 'forget-failures', text: 'delete from throttle where key = $1', values: [key] });
}
